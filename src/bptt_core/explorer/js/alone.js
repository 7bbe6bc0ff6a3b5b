// One figure alone: ?present fills a screen with it, ?embed the frame of another page.

/** The figure that the address names, or else the first, without the rest of the page. */
export function standAlone() {
  const way = ["present", "embed"].find((each) => new URLSearchParams(location.search).has(each));
  const name = new URLSearchParams(location.hash.slice(1)).get("lab");
  const all = [...document.querySelectorAll(".gtt-explorer")];
  const root = all.find(({ dataset }) => dataset.name === name) ?? all[0];
  if (!way || !root) return;
  document.body.append(root);
  document.documentElement.classList.add("gtt-alone", `gtt-${way}`);
  root.classList.add("gtt-shown");
  const page = () => location.href.replace(location.search, "");
  if (way === "embed") {
    const whole = Object.assign(document.createElement("a"), { href: page(), target: "_top" });
    const title = root.querySelector(".gtt-title");
    whole.append(...title.childNodes);
    title.append(whole);
    return;
  }
  addEventListener("keydown", ({ key }) => {
    if (key === "Escape") location.replace(page());
    root.querySelectorAll(":checked, [type=range], .gtt-buttons button")[key - 1]?.focus();
  });
}
