// What a page tells of all its questions: what was expected and what was so, two to try again, the whole course's progress.
const tag = (name, inside = [], more = {}) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...[inside].flat());
  return element;
};
const rich = (html) => tag("span", [], { innerHTML: html });
const WORDS = { right: "right", near: "right", slip: "not so", off: "not so", shown: "shown" };
const missed = (entry) => entry && entry.first !== "right" && entry.first !== "near" && !entry.again;
const count = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

// known: [{name, question and was as HTML, link}]
function table(known) {
  const head = ["Question", "You expected", "It was"].map((text) => tag("th", text, { scope: "col" }));
  const rows = known.map(({ name, question, was, link }) => {
    const entry = kept[name], first = entry?.first;
    const mine = !first ? "skipped" : first === "shown" ? "shown before an answer" : `${entry.said} (${WORDS[first] || "not so"}${entry.again ? "; right since" : ""})`;
    return tag("tr", [tag("th", tag("a", rich(question), { href: link }), { scope: "row" }), tag("td", mine), tag("td", first ? rich(was) : "")]);
  });
  return tag("table", [tag("thead", tag("tr", head)), tag("tbody", rows)]);
}
function tally(known) {
  const firsts = known.map(({ name }) => kept[name]?.first), n = (...of) => firsts.filter((f) => of.includes(f)).length;
  return `${count(known.length, "question")}: ${n("right", "near")} right at first, ${n("slip", "off")} not so, ${n("shown")} shown, ${n(undefined, "")} skipped.`;
}
const here = () => [...document.querySelectorAll(".gtt-ask")].filter((root) => !root.closest(".gtt-ask-again")).map((root) => ({
  name: JSON.parse(root.querySelector("script").textContent).name,
  question: root.querySelector(".gtt-ask-question").innerHTML,
  was: JSON.parse(root.querySelector("script").textContent).was,
  link: `#${root.id}`,
}));

const pages = {
  summary(root) {
    const show = () => root.querySelector("div").replaceChildren(tag("p", tally(here())), table(here()), tag("p", loss ? LOSSES[loss] : ""));
    document.addEventListener("gtt:answered", show);
    show();
  },
  // The build writes the questions of earlier pages into scripts that call gttAsk.bank.
  async again(root) {
    const sources = JSON.parse(root.dataset.banks || "{}"), wanted = Object.entries(kept).filter(([, entry]) => missed(entry) && entry.page in sources);
    const script = (src) => new Promise((done) => document.head.append(tag("script", [], { src, onload: done, onerror: done })));
    await Promise.all([...new Set(wanted.map(([, entry]) => sources[entry.page]))].map(script));
    const found = wanted.filter(([name]) => name in banked).slice(-2);
    root.hidden = !found.length;
    found.forEach(([name]) => {
      const box = rich(banked[name]);
      root.querySelector("div").append(box);
      mount(box.querySelector(".gtt-ask"), null, true);
    });
  },
};
