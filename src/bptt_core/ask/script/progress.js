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
