// What a page tells of all its questions: what was expected and what was so, two to try again, the whole course's progress.
const tag = (name, inside = [], more = {}) => {
  const element = Object.assign(document.createElement(name), more);
  element.append(...[inside].flat());
  return element;
};
const rich = (html) => tag("span", [], { innerHTML: html });
const good = (verdict) => verdict === "right" || verdict === "near";
const count = (n, one) => `${n} ${one}${n === 1 ? "" : "s"}`;

// known: [{name, question and was as HTML, link}]
function table(known) {
  const head = ["Question", "You expected", "It was"].map((text) => tag("th", text, { scope: "col" }));
  const rows = known.map(({ name, question, was, link }) => {
    const entry = kept[name], first = entry?.first;
    const mine = !first ? "skipped" : first === "shown" ? "shown before an answer" : `${entry.said} (${good(first) ? "right" : "not so"}${entry.again ? "; right since" : ""})`;
    return tag("tr", [tag("th", tag("a", rich(question), { href: link }), { scope: "row" }), tag("td", mine), tag("td", first ? rich(was) : "")]);
  });
  return tag("table", [tag("thead", tag("tr", head)), tag("tbody", rows)]);
}
function tally(known) {
  const firsts = known.map(({ name }) => kept[name]?.first), n = (test) => firsts.filter(test).length;
  const [right, shown, skipped] = [n(good), n((first) => first === "shown"), n((first) => !first)];
  return `${count(firsts.length, "question")}: ${right} right at first, ${firsts.length - right - shown - skipped} not so, ${shown} shown, ${skipped} skipped.`;
}
const here = (globalThis.gttAsked ??= []); // the questions of this page; in a notebook each has a script of its own

const pages = {
  summary(root) {
    const show = () => {
      const known = here.filter((q) => q.root.isConnected);
      if (!loss) load();
      root.querySelector("div").replaceChildren(tag("p", tally(known)), table(known), tag("p", LOSSES[loss] || ""));
    };
    document.addEventListener("gtt:answered", show);
    show();
  },
  // The build writes the questions of earlier pages into scripts that call gttAsk.bank.
  async again(root) {
    const sources = JSON.parse(root.dataset.banks || "{}"), wanted = Object.entries(kept).filter(([, { first, again, page }]) => first && !good(first) && !again && page in sources);
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
