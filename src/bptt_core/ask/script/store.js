// Answers stay in this browser, under a key with a version: {v, q: {name: {first, said, last, state, page, shown, again}}}.
// What cannot be kept is said once; the page works all the same.
const KEY = "gtt-answers", EDITION = 1;
const LOSSES = {
  blocked: "This browser keeps nothing for this page: your answers last until you leave this page.",
  full: "This browser's storage is full: your answers last until you leave this page.",
  older: "Your answers are of another edition and cannot be read: new ones take their place.",
};
const PAGE = location.pathname.split("/").slice(-2).join("/");
let kept = {}, loss = "";

function sound(text) {
  const { v, q } = JSON.parse(text), strings = ({ first, said, page }) => [first, said, page].every((x) => typeof x === "string");
  if (v !== EDITION || !Object.values(q).every(strings)) throw 0;
  return q;
}
// What another window wrote since is read first, unless nothing can be kept.
function load() {
  let text = null;
  try {
    text = localStorage.getItem(KEY);
    kept = text ? sound(text) : {};
  } catch {
    loss = text ? "older" : "blocked";
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
  if (loss !== "full") load();
  kept[name] = { first: "", said: "", page: PAGE, ...kept[name], ...changes };
  save();
  document.dispatchEvent(new CustomEvent("gtt:answered", { detail: name }));
}
