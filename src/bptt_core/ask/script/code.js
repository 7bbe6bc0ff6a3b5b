// Code that the reader writes. It runs in the kernel, or in a Python of the page (gttPython.run), if there is one.
kinds.code = ({ root, spec, model, status }) => {
  const area = root.querySelector("textarea"), starter = area.value;
  const on = (name, does) => root.querySelector(`.gtt-ask-${name}`).addEventListener("click", does);
  on("reset", () => { area.value = starter; status("The code is as it was at first."); });
  on("copy", () => navigator.clipboard.writeText([spec.setup, area.value, spec.check].join("\n\n"))
    .then(() => status("Copied, with its setup and its check."), () => { area.select(); status("Selected: copy with the keyboard."); }));
  const kernel = (code) => new Promise((done) => {
    const hear = (reply) => { if (!reply.gtt) return; model.off("msg:custom", hear); done(reply); };
    model.on("msg:custom", hear);
    model.send({ gtt: "check", code });
  });
  const inPage = async (code) => {
    const { error, checked } = await gttPython.run({ setup: spec.setup, code, check: spec.check }, (words) => status(words.split(":")[0]));
    return error ? { said: [error] } : JSON.parse(checked);
  };
  if (globalThis.gttPython && !model) root.querySelector("[type=submit]").title = `The first time, this loads Python: ${gttPython.megabytes} MB`;
  return {
    async answer() {
      const code = area.value, run = model ? kernel : globalThis.gttPython && inPage;
      if (!run) return { fault: "The check needs Python. Copy the code to a notebook: there it runs." };
      const { right, said } = await run(code);
      return { verdict: right ? "right" : "slip", text: said, said: right ? "it runs and is right" : said[0].slice(0, 200), state: code };
    },
    put: (code) => (area.value = code),
    still: true, // what was kept is shown, not run
  };
};
