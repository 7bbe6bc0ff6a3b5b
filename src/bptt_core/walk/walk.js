// A walk: one of its steps is shown, and what belongs to it is lit. Every number, sentence and sum
// stands in the page; `others` holds the numbers that a mistake changes, by their places.
function mount(root) {
  if ("mounted" in root.dataset) return;
  root.dataset.mounted = "";
  const $ = (query) => root.querySelector(query);
  const all = (query) => [...root.querySelectorAll(query)];
  const others = JSON.parse($("script").textContent);
  const steps = all(".gtt-walk-steps > li");
  const cells = all("[data-n]");
  const values = Object.fromEntries(cells.map((cell) => [cell.dataset.n, cell.textContent]));
  const [slider, select, output] = ["input", "select", "output"].map($);
  const value = (n) => others[select.selectedIndex][n] ?? values[n];
  const has = (list, n) => list.split(" ").includes(`${n}`);
  let now = 0;

  // what a number is the sum of
  function explain(cell) {
    const { n, of = "" } = cell?.dataset || {};
    const used = [...of.matchAll(/#(\d+)/g)].map((ref) => ref[1]);
    const sum = of.replace(/#(\d+)/g, (_, at) => value(at).replace(/^−.*/, "($&)"));
    const right = values[n] && value(n) !== values[n] ? `. Right: ${values[n]}` : "";
    $(".gtt-walk-terms").textContent = of && `${value(n)} = ${sum}${right}`;
    for (const other of cells) {
      other.classList.toggle("gtt-walk-used", used.includes(other.dataset.n));
    }
  }

  function show(step, spoken) {
    const inside = steps[now].contains(document.activeElement);
    now = Math.min(Math.max(step, 0), steps.length - 1);
    const item = steps[now];
    slider.value = now;
    for (const other of steps) other.classList.toggle("on", other === item);
    for (const part of all("[data-on]")) {
      const lit = has(part.dataset.on, now);
      const closed = lit && has(part.dataset[`closed${select.selectedIndex}`] ?? "", now);
      part.classList.toggle("on", lit && !closed);
      part.classList.toggle("gtt-walk-closed", closed);
    }
    for (const part of all("[data-from]")) {
      const { from, to } = part.dataset;
      part.classList.toggle("gone", now < from || now >= to);
    }
    root.classList.toggle("gtt-walk-back", now >= root.dataset.back);
    output.textContent = `${now + 1} of ${steps.length}: ${item.dataset.label}`;
    slider.ariaValueText = output.textContent;
    $(".gtt-walk-prev").ariaDisabled = !now;
    $(".gtt-walk-next").ariaDisabled = now === steps.length - 1;
    explain();
    if (inside) item.querySelector("div > :not([hidden]) [data-of]").focus();
    const [sentence, line] = item.children;
    if (spoken) $(".gtt-status").textContent = `${line.textContent}. ${sentence.innerText}`;
  }

  function slip() {
    const m = select.selectedIndex;
    for (const part of all("[data-m]")) part.hidden = !has(part.dataset.m, m);
    for (const cell of cells) {
      cell.textContent = value(cell.dataset.n);
      cell.classList.toggle("gtt-walk-off", cell.dataset.n in others[m]);
    }
    show(now);
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
    const own = event.target.matches("input, select");
    if (!by || own || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    show(now + by, true);
  });
  for (const kind of ["focusin", "pointermove", "click"]) {
    root.addEventListener(kind, ({ target }) => target.dataset.of && explain(target));
  }
  for (const knob of all("input, select, button")) knob.disabled = false;
  slip();
  root.dataset.ready = "";
}

function mountAll(where) {
  for (const root of where.querySelectorAll(".gtt-walk")) mount(root);
}
globalThis.gttWalk = {
  render({ model, el }) {
    el.innerHTML = model.get("_html");
    mountAll(el);
  },
};
if (document.currentScript) {
  const start = () => mountAll(document);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
  else start();
}
