// One question: its form, what is said, what is kept, what was folded.
const HEADS = { right: "Right.", near: "Right, but for the last digit.", carried: "Right, from your numbers.", again: "Once more.", slip: "Not so.", off: "Not so." };
const banked = {};
let told = "";

// Outputs that would give the answer away fold: found by the browser's search all the same, printed, and there without a script.
function fold(spec, root) {
  const targets = (spec.reveals || []).map((id) => document.getElementById(id)).filter((target) => target && "onbeforematch" in target);
  const outputs = targets.map((target) => target.matches(".cell") ? target.querySelector(".cell_output") : target).filter(Boolean);
  const button = tag("button", "show it", { type: "button" });
  const note = tag("p", ["Folded until you answer ", tag("a", "the question above", { href: `#${root.id}` }), ", or ", button, "."], { className: "gtt-folded" });
  const open = () => { note.remove(); outputs.forEach((output) => (output.hidden = false)); };
  outputs[0]?.before(note);
  outputs.forEach((output) => { output.hidden = "until-found"; output.addEventListener("beforematch", open); });
  button.addEventListener("click", () => { open(); outputs[0].tabIndex = -1; outputs[0].focus(); });
  return open;
}

function mount(root, model, again) {
  if ("mounted" in root.dataset) return;
  root.dataset.mounted = "";
  const spec = JSON.parse(root.querySelector("script").textContent), form = root.querySelector("form"), before = kept[spec.name];
  const shown = root.querySelector(".gtt-ask-answer"), place = (where) => where?.querySelector(".gtt-ask-said") || root.querySelector(":scope > .gtt-ask-said");
  const reveal = again || before?.first ? () => {} : fold(spec, root);

  // html was written by Python; text may hold what the reader wrote
  function say({ verdict, html = [], text = [], fault }, where) {
    const parts = [...html.filter(Boolean).map((part) => tag("p", [], { innerHTML: part })), ...text.map((part) => tag("p", part)), tag("p", fault || "")];
    if (HEADS[verdict]) parts[0].prepend(tag("strong", HEADS[verdict]), " ");
    if (loss !== told) parts.push(tag("p", LOSSES[(told = loss)], { className: "gtt-ask-note" }));
    const box = tag("div", parts.filter((part) => part.textContent));
    box.dataset.verdict = verdict || "fault";
    place(where).replaceChildren(box);
  }
  say.clear = (where) => place(where).replaceChildren();
  const status = (line) => place().textContent === line || place().replaceChildren(tag("p", line, { className: "gtt-ask-note" }));
  const keepState = (state) => again || keep(spec.name, { state });

  function record({ verdict, said, state, open }) {
    if (open) { keepState(state); return; }
    if (again) { if (good(verdict)) keep(spec.name, { again: true }); return; }
    keep(spec.name, { last: verdict, state, page: PAGE, ...(kept[spec.name]?.first ? {} : { first: verdict, said }) });
    model?.set("answered", { said, verdict });
    model?.save_changes();
    reveal();
  }
  function finish(result) {
    if (!result.fault) record(result);
    say(result.spoken || result, result.where);
  }

  if (!again) here.push({ root, name: spec.name, question: root.querySelector(".gtt-ask-question").innerHTML, was: spec.was, link: `#${root.id}` });
  const kind = kinds[root.dataset.kind]({ root, spec, model, say, status, finish, keepState });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    finish(await kind.answer(event.submitter));
  });
  // Enter hands in the step it is typed in, and in a notebook too, which keeps it from the form
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target.localName !== "input") return;
    event.preventDefault();
    (event.target.closest(".gtt-ask-step")?.querySelector("button") || form.querySelector("[type=submit]"))?.click();
  });
  shown.addEventListener("toggle", () => {
    if (!shown.open) return;
    kind.shown?.();
    if (again) return;
    if (!kept[spec.name]?.first) keep(spec.name, { first: "shown", said: "" });
    reveal();
  });
  try {
    if (before?.state === undefined || again) throw 0;
    kind.put(before.state);
    if (before.last && !kind.still) say(kind.answer());
  } catch { /* nothing kept, or by a page that asked something else: begin anew */ }
  form.firstElementChild.disabled = false;
  root.dataset.ready = "";
}

function mountAll(where, model) {
  where.querySelectorAll(".gtt-ask").forEach((root) => mount(root, model));
  where.querySelectorAll("[data-ask]:not([data-mounted])").forEach((root) => pages[root.dataset.ask](root, (root.dataset.mounted = "")));
}
load();
if (/[?&]solutions\b/.test(location.search)) document.documentElement.classList.add("gtt-solutions"); // printed with them
globalThis.gttAsk = {
  read,
  explain,
  bank: (questions) => Object.assign(banked, questions),
  render({ model, el }) {
    el.innerHTML = model.get("_html");
    mountAll(el, model);
  },
};
if (document.currentScript) {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", () => mountAll(document));
  else mountAll(document);
}
