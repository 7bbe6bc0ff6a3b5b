// Small things of a page: light or dark, the contents on a phone, boxes that scroll within reach of
// the keyboard, parts that light up together, what a link leads to, what is folded around an address,
// and the section that a report of a false sentence is about.
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

  // The table of a figure is fetched when the reader is two screens away from it, when the address
  // names the figure, and before a print.
  const tables = new Map();
  for (const table of document.querySelectorAll(".gtt-explorer > [data-table]"))
    tables.set(table.parentElement, table);
  const bring = (figure) => {
    const table = tables.get(figure);
    if (!tables.delete(figure)) return;
    const script = document.createElement("script");
    script.src = table.dataset.table;
    script.into = table;
    script.onload = () => figure.dispatchEvent(new CustomEvent("gtt:table", { bubbles: true }));
    document.head.append(script);
  };
  const bringAll = (which) => [...tables.keys()].filter(which).forEach(bring);
  const coming = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) if (isIntersecting) bring(target);
    },
    { rootMargin: "200%" },
  );
  for (const figure of tables.keys()) coming.observe(figure);
  const named = () => {
    const lab = new URLSearchParams(location.hash.slice(1)).get("lab");
    if (lab) bringAll((figure) => figure.id.startsWith(lab));
  };
  addEventListener("hashchange", named);
  addEventListener("beforeprint", () => bringAll(Boolean));
  named();

  // Words, formulas and figures that have one key, as part-via-o, are one thing: pointed at, tapped
  // or in focus, all of them light up.
  const light = ({ target }) => {
    const part = target.closest('[class*="part-"]');
    const key = part?.getAttribute("class").match(/part-\S+/)[0];
    for (const lit of document.querySelectorAll(".lit")) lit.classList.remove("lit");
    if (key) for (const each of document.getElementsByClassName(key)) each.classList.add("lit");
  };

  // A link to an equation of the page shows it. One with a title, a term or a claim, shows that to
  // the keyboard too: a mouse has it from the browser.
  const peek = document.createElement("div");
  peek.className = "peek";
  peek.ariaHidden = "true";
  document.body.append(peek);
  const show = ({ target, type }) => {
    if (peek.contains(target)) return;
    const link = target.closest('article a[href*="#"]');
    const place =
      link?.pathname === location.pathname && document.getElementById(link.hash.slice(1));
    const found = (place || undefined)?.querySelector(":scope > .formula")?.cloneNode(true);
    peek.replaceChildren(
      (!link?.matches(".eqno") && found) || (type === "focusin" && link?.title) || "",
    );
    if (!link) return;
    const { top, bottom, left } = link.getBoundingClientRect();
    const height = peek.offsetHeight + 6;
    peek.style.top = `${bottom + height < innerHeight ? bottom + 6 : top - height}px`;
    peek.style.left = `${Math.max(8, Math.min(left, innerWidth - peek.offsetWidth - 8))}px`;
  };
  for (const kind of ["pointerover", "focusin", "click"]) document.addEventListener(kind, light);
  for (const kind of ["pointerover", "focusin"]) document.addEventListener(kind, show);
  const hide = () => peek.replaceChildren();
  document.addEventListener("scroll", hide, { passive: true });
  document.addEventListener("keydown", ({ key }) => key === "Escape" && hide());

  // The place that the address names, if it names one: an element, or a figure by #lab=.
  const addressed = () => {
    const hash = location.hash.slice(1);
    const lab = new URLSearchParams(hash).get("lab");
    if (lab) return document.querySelector(`[data-name="${CSS.escape(lab)}"]`);
    try {
      return document.getElementById(decodeURIComponent(hash));
    } catch {
      return null; // a % that stands for nothing
    }
  };

  // What is folded opens if the address leads into it, also what waits for an answer.
  const FOLDED = "details:not([open]), [hidden]";
  const unfold = () => {
    const named = addressed();
    let box = named?.closest(FOLDED);
    if (!box) return;
    for (; box; box = box.parentElement.closest(FOLDED)) {
      if (box.localName === "details") box.open = true;
      else box.dispatchEvent(new Event("beforematch"));
    }
    named.scrollIntoView();
  };
  addEventListener("hashchange", unfold);
  unfold();

  // The form is opened from the foot of the page: what the reader came from is the section of the
  // address, or else the last one.
  const report = document.querySelector(".report");
  report?.addEventListener("click", () => {
    const section =
      addressed()?.closest("section") ?? [...document.querySelectorAll("section")].at(-1);
    const heading = section?.querySelector("h1, h2, h3")?.textContent.replace(/#$/, "").trim();
    const url = new URL(report.href);
    if (heading) url.searchParams.set("section", heading);
    report.href = url.href;
  });
}
