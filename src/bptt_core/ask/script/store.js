// Answers stay in this browser, under a key with a version: {v, q: {name: {first, said, last, state, page, shown, again}}}.
// What cannot be kept is said once; the page works all the same.
const KEY = "gtt-answers", EDITION = 1;
const LOSSES = {
  blocked: "This browser keeps nothing for this page: your answers last until you leave it.",
  full: "This browser's storage is full: your answers last until you leave the page.",
  older: "Answers from another edition of this course were found. They cannot be read here and were set aside.",
};
const PAGE = location.pathname.split("/").slice(-2).join("/");
let kept = {}, loss = "";

function sound(text) {
  const data = JSON.parse(text), entries = data.v === EDITION && Object.entries(data.q);
  if (!entries || !entries.every(([, e]) => e && typeof e === "object" && [e.first, e.said, e.page].every((x) => typeof x === "string"))) throw 0;
  return Object.assign(Object.create(null), data.q);
}
function load() {
  let text;
  try {
    text = localStorage.getItem(KEY);
  } catch {
    loss = "blocked";
    return;
  }
  try {
    if (text) kept = sound(text);
  } catch {
    loss = "older";
    try { localStorage.setItem(`${KEY}-set-aside`, text); localStorage.removeItem(KEY); } catch { loss = "full"; }
  }
}
function save() {
  try {
    localStorage.setItem(KEY, JSON.stringify({ v: EDITION, q: kept }));
  } catch (error) {
    loss = error.name === "QuotaExceededError" ? "full" : "blocked";
  }
}
function keep(name, changes) {
  load(); // another window may have written since
  kept[name] = { first: "", said: "", page: PAGE, ...kept[name], ...changes };
  save();
  document.dispatchEvent(new CustomEvent("gtt:answered", { detail: name }));
}
