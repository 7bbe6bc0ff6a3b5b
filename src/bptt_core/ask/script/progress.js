// The whole course's questions, and the answers as a file: out, in, and away.
pages.progress = (root) => {
  const all = JSON.parse(root.dataset.all || "[]"), status = root.querySelector("[role=status]");
  const show = (said = "") => {
    const groups = [...new Set(all.map((q) => q.title))].map((title) => {
      const known = all.filter((q) => q.title === title);
      return tag("section", [tag("h2", rich(title)), tag("p", tally(known)), tag("div", table(known), { className: "scroll" })]);
    });
    root.querySelector("div").replaceChildren(...groups);
    status.textContent = said || (loss ? LOSSES[loss] : "");
  };
  const on = (name, event, does) => root.querySelector(`.gtt-ask-${name}`).addEventListener(event, does);
  on("export", "click", () => {
    const file = new Blob([JSON.stringify({ v: EDITION, q: kept })], { type: "application/json" });
    tag("a", [], { href: URL.createObjectURL(file), download: "gradients-through-time-answers.json" }).click();
    status.textContent = `${count(Object.keys(kept).length, "answer")} in the file.`;
  });
  on("import", "change", async ({ target }) => {
    try {
      const read = sound(await target.files[0].text());
      kept = { ...kept, ...read };
      save();
      show(`${count(Object.keys(read).length, "answer")} read from the file.`);
    } catch { show("That file holds no answers of this edition. Nothing was changed."); }
    target.value = "";
  });
  on("reset", "click", () => {
    if (!confirm("Forget all answers on this machine?")) return;
    kept = {};
    save();
    show("All answers are forgotten.");
  });
  show();
};
// The challenges of a page. Each brings points, one less for a hint that was opened, none if the solution was.
pages.score = (root) => {
  const label = (box) => box.querySelector(".gtt-ask-label").firstChild.textContent;
  const show = () => {
    if (!loss) load();
    let all = 0, mine = 0;
    const known = here.filter((q) => q.root.dataset.points && q.root.isConnected);
    const rows = known.map(({ name, root: box, link }) => {
      const entry = kept[name], most = Number(box.dataset.points);
      const shown = entry?.first === "shown", left = shown ? 0 : most - box.querySelectorAll("[data-opened]").length;
      if (entry && !("points" in entry) && (shown || good(entry.last))) return keep(name, { points: left });
      all += most;
      mine += entry?.points || 0;
      const text = entry && "points" in entry ? `${entry.points} of ${most} points` : `${most} points`;
      box.querySelector(".gtt-ask-points").textContent = text;
      return tag("li", [tag("a", label(box), { href: link }), ` ${text}`]);
    });
    // what was kept just now has come here once more, and is shown
    if (rows.every(Boolean)) root.querySelector("div").replaceChildren(tag("p", `${mine} of ${all} points.`), tag("ul", rows));
  };
  const opened = ({ target }) => target.matches(".gtt-ask-hint") && (target.dataset.opened = "");
  document.addEventListener("toggle", opened, true);
  document.addEventListener("gtt:answered", show);
  show();
};
