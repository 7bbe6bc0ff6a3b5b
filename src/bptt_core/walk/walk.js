// A walk: one of its steps is shown, and what belongs to it is lit. All numbers and sentences stand in the page.
function mount(root) {
  if ("mounted" in root.dataset) return;
  root.dataset.mounted = "";
  const $ = (query) => root.querySelector(query), all = (query) => [...root.querySelectorAll(query)];
  const others = JSON.parse($("script").textContent), values = {};
  const steps = all(".gtt-walk-steps > li"), cells = all("[data-n]"), slider = $("input"), select = $("select");
  const terms = $(".gtt-walk-terms"), lit = all("[data-on]"), seen = all("[data-from]"), wrong = all("[data-m]");
  const has = (list, n) => list.split(" ").includes(`${n}`), value = (n) => others[select.selectedIndex][n] ?? values[n];
  for (const cell of cells) values[cell.dataset.n] = cell.textContent;
  let now = 0;

  function explain(cell) {
    const { n, of = "" } = cell?.dataset || {}, used = [];
    const sum = of.replace(/#(\d+)/g, (_, at) => (used.push(at), value(at).replace(/^−.*/, "($&)")));
    terms.textContent = of && `${value(n)} = ${sum}${value(n) === values[n] || !values[n] ? "" : `. Right: ${values[n]}`}`;
    for (const other of cells) other.classList.toggle("gtt-walk-used", used.includes(other.dataset.n));
  }
  function show(step, spoken) {
    const inside = steps[now].contains(document.activeElement);
    now = Math.min(Math.max(step, 0), steps.length - 1);
    slider.value = now;
    steps.forEach((item, k) => item.classList.toggle("on", k === now));
    for (const item of lit) item.classList.toggle("on", has(item.dataset.on, now));
    for (const item of seen) item.classList.toggle("gone", now < item.dataset.from || now >= item.dataset.to);
    root.classList.toggle("gtt-walk-back", now >= root.dataset.back);
    const { label } = steps[now].dataset;
    $("output").textContent = `${now + 1} of ${steps.length}: ${label}`;
    slider.setAttribute("aria-valuetext", $("output").textContent);
    $(".gtt-walk-prev").ariaDisabled = !now;
    $(".gtt-walk-next").ariaDisabled = now === steps.length - 1;
    explain();
    if (inside) steps[now].querySelector("div > :not([hidden]) [data-of]").focus();
    if (spoken) $(".gtt-status").textContent = [1, 0].map((part) => steps[now].children[part].textContent).join(". ");
  }
  function slip() {
    const m = select.selectedIndex;
    for (const item of wrong) item.hidden = !has(item.dataset.m, m);
    for (const cell of cells) {
      cell.textContent = value(cell.dataset.n);
      cell.classList.toggle("gtt-walk-off", cell.dataset.n in others[m]);
    }
    explain();
  }

  slider.addEventListener("input", () => show(+slider.value, true));
  select.addEventListener("change", slip);
  root.addEventListener("click", ({ target }) => {
    if (target.matches(".gtt-walk-prev")) show(now - 1, true);
    if (target.matches(".gtt-walk-next")) show(now + 1, true);
    if (target.dataset.go) show(+target.dataset.go, true);
  });
  root.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || event.target.matches("input, select") || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(now + by, true);
  });
  for (const kind of ["focusin", "pointermove", "click"]) root.addEventListener(kind, ({ target }) => target.dataset.of && explain(target));
  for (const item of all("input, select, button")) item.disabled = false;
  slip();
  show(0);
  root.dataset.ready = "";
}
const mountAll = (where) => where.querySelectorAll(".gtt-walk").forEach(mount);
globalThis.gttWalk = {
  render({ model, el }) {
    el.innerHTML = model.get("_html");
    mountAll(el);
  },
};
if (document.currentScript) {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => mountAll(document));
  else mountAll(document);
}
