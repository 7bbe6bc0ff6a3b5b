/* Any code cell of a chapter can be opened and run where it stands: what it needs from the cells before it runs first.
   The sources, and what needs what, come with the first click (book/_ext/gtt/python.py). */
(() => {
  "use strict";
  if (!globalThis.gttPython) return;
  const page = location.pathname.split("/").pop().replace(/\.html$/, "");
  const base = new URL(`python/${page}.js`, document.currentScript.src).href;
  const CELL = /(?:^| )cell-(\d+)(?: |$)/;

  let table;
  function cells() {
    table ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = base;
      script.onload = () => resolve(globalThis.gttCells);
      script.onerror = () => { table = undefined; reject(new Error("the sources of this page could not be loaded")); };
      document.head.append(script);
    });
    return table;
  }

  function make(tag, properties, ...inside) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...inside);
    return element;
  }

  /* Enter keeps the indentation, and Ctrl or Cmd with Enter runs. Tab stays the key that leaves. */
  function keys(area, run) {
    area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) { run(); return; }
      const before = area.value.slice(0, area.selectionStart);
      const line = before.slice(before.lastIndexOf("\n") + 1);
      const indent = line.match(/^ */)[0] + (/:\s*$/.test(line) ? "    " : "");
      area.setRangeText(`\n${indent}`, area.selectionStart, area.selectionEnd, "end");
      area.dispatchEvent(new Event("input"));
    });
  }

  async function open(cell, number, button) {
    button.disabled = true;
    let found;
    try {
      found = await cells();
    } catch (error) {
      button.textContent = error.message;
      return;
    }
    const { source, needs } = found[number];
    const setup = needs.map((n) => found[n].source).join("\n\n");
    const area = make("textarea", { className: "run-code", spellcheck: false, value: source, ariaLabel: "Code of this cell" });
    area.setAttribute("autocapitalize", "off");
    const fit = () => { area.rows = Math.max(2, area.value.split("\n").length); };
    const out = make("pre", { className: "run-out", tabIndex: 0, hidden: true });
    const status = make("p", { className: "run-status", role: "status" });
    const go = make("button", { type: "button", textContent: "Run" });
    const stop = make("button", { type: "button", textContent: "Stop", disabled: true });
    const reset = make("button", { type: "button", textContent: "Reset" });
    const close = make("button", { type: "button", textContent: "Close" });
    const bar = make("progress", { max: 1, value: 0, hidden: true, ariaLabel: "Loading Python" });

    async function run() {
      go.disabled = true;
      stop.disabled = false;
      const tell = (words, share) => {
        if (status.dataset.words !== words.split(":")[0]) status.textContent = words; // a live region: not every number
        status.dataset.words = words.split(":")[0];
        bar.hidden = share >= 1;
        bar.value = share;
      };
      const answer = await gttPython.run({ setup, code: area.value, limit: 60 }, tell);
      bar.hidden = true;
      go.disabled = false;
      stop.disabled = true;
      const said = [answer.out, answer.value, answer.error].filter(Boolean).join("\n").trimEnd();
      out.textContent = said || "(no output)";
      out.hidden = false;
      out.classList.toggle("run-error", Boolean(answer.error));
      status.textContent = answer.error ? "It ended with an error." : `Done in ${(answer.ms / 1000).toFixed(2)} s.`;
    }

    const box = make("div", { className: "run" }, area, make("div", { className: "run-bar" }, go, stop, reset, close), bar, status, out);
    const input = cell.querySelector(".cell_input");
    input.hidden = true;
    button.hidden = true;
    input.after(box);
    fit();
    area.addEventListener("input", fit);
    keys(area, run);
    go.addEventListener("click", run);
    stop.addEventListener("click", () => gttPython.stop());
    reset.addEventListener("click", () => { area.value = source; fit(); });
    close.addEventListener("click", () => {
      box.remove();
      input.hidden = button.hidden = button.disabled = false;
      button.focus();
    });
    status.textContent = needs.length ? `Runs ${needs.length} earlier cell${needs.length > 1 ? "s" : ""} first.` : "";
    area.focus();
  }

  for (const cell of document.querySelectorAll("div.cell")) {
    const number = cell.className.match(CELL)?.[1];
    const input = cell.querySelector(".cell_input");
    if (!number || !input || cell.querySelector(".gtt-explorer, .gtt-ask")) continue;
    const button = make("button", { type: "button", className: "run-open", textContent: "Run in the page" });
    button.title = `Python runs in this page; the first time it loads ${gttPython.megabytes} MB`;
    button.addEventListener("click", () => open(cell, number, button));
    input.append(button);
  }
})();
