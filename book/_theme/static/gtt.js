// Small things of a page: light or dark, the contents on a phone, boxes that scroll within reach of
// the keyboard, what is folded around an address, and the section that a report is about.
{
  const root = document.documentElement;

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.querySelector(".mode");
  const paint = () => {
    const { mode } = root.dataset;
    root.dataset.theme = mode === "dark" || (mode === "auto" && dark.matches) ? "dark" : "light";
    toggle.lastElementChild.textContent =
      root.dataset.theme === "dark" ? "Light page" : "Dark page";
  };
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    root.dataset.mode = root.dataset.theme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("gtt-mode", root.dataset.mode);
    } catch {
      // storage is off: the choice lasts for this page
    }
    paint();
  });
  dark.addEventListener("change", paint);
  paint();

  const menu = document.querySelector(".menu");
  const open = (yes) => {
    root.classList.toggle("nav-open", yes);
    menu.setAttribute("aria-expanded", String(yes));
  };
  menu.addEventListener("click", () => open(menu.getAttribute("aria-expanded") === "false"));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !root.classList.contains("nav-open")) return;
    open(false);
    menu.focus();
  });

  // What may scroll sideways can be reached by keyboard from the start; what turns out to fit need
  // not be. Only boxes near the window are measured: the rest of a long page is not even laid out
  // (content-visibility in gtt.css).
  const boxes = document.querySelectorAll(
    "pre, .formula, .scroll, .cell_output, p mjx-container, li mjx-container",
  );
  const measure = (box) => {
    const inline = box.matches("mjx-container");
    if (inline) {
      const { right } = box.firstElementChild.getBoundingClientRect();
      box.classList.toggle("long", right > innerWidth - 8);
    }
    const scrolls = box.scrollWidth > box.clientWidth + 1;
    if (scrolls && (!inline || box.matches(".long"))) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  };
  const near = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) measure(target);
    },
    { rootMargin: "600px" },
  );
  for (const box of boxes) near.observe(box);
  addEventListener("resize", () => {
    for (const box of boxes) {
      near.unobserve(box);
      near.observe(box);
    }
  });

  // What is folded opens if the address leads into it.
  const unfold = () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let box = named; (box = box?.parentElement.closest("details")); ) box.open = true;
    if (named?.closest("details")) named.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  // The form is opened from the foot of the page: what the reader came from is the section of the
  // address, or else the last one.
  const report = document.querySelector(".report");
  report?.addEventListener("click", () => {
    const named = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const section = named?.closest("section") ?? [...document.querySelectorAll("section")].at(-1);
    const heading = section?.querySelector("h1, h2, h3")?.textContent.replace(/#$/, "").trim();
    const url = new URL(report.href);
    if (heading) url.searchParams.set("section", heading);
    report.href = url.href;
  });
}
