// Follow a path: which arrows lead on, the product of those taken, the sum of the paths. An arrow is
// a letter, a path a word. What each arrow carries, and the gradient, come from Python.
(() => {
  // three digits of what is left when rounding is taken away
  const write = (value) => `${+(Math.round(value * 1e9) / 1e9).toPrecision(3)}`.replace("-", "−");

  function mount(root) {
    const all = (what) => [...root.querySelectorAll(what)];
    const part = (name) => root.querySelector(`.gtt-${name}`);
    const [exact, bars, four, product, next, sum, readout, data] =
      "exact bars four product next sum readout data".split(" ").map(part);
    const spec = JSON.parse(data.textContent);
    const { edges, ways, paths } = spec;
    const words = Object.keys(paths);
    const inputs = all("select, input");
    const [start] = Object.keys(ways);
    let path = start;
    const taken = new Set();
    let now;

    const factor = (edge) => edges[edge][1][now[edges[edge][0]]] ?? edges[edge][1][0];
    const times = (edges) => [...edges].reduce((all, edge) => all * factor(edge), 1);
    const passes = (part, path) => [...part.dataset.edges].some((edge) => path.includes(edge));
    const layer = (name) => words.filter((word) => name === "all" || paths[word] === name);
    const added = () => {
      const here = ways[path] ? path : start;
      return ways[here].map((way) => way.slice(here.length));
    };

    function draw(said = "") {
      now = inputs.map((input, k) => {
        const output = input.nextSibling;
        if (output) input.ariaValueText = output.value = spec.texts[k][input.value];
        return input.value;
      });
      for (const part of all("[data-edges]")) {
        part.classList.toggle("on", passes(part, path));
        part.classList.toggle("next", passes(part, added().join("")));
        part.classList.toggle("shut", !factor(part.dataset.edges[0]));
      }
      for (const button of all("[data-layer]"))
        button.ariaPressed = layer(button.dataset.layer).every((word) => taken.has(word));
      const factors = [...path].map(
        (edge) => `<span>${write(factor(edge))}<small>${edges[edge][2]}</small></span>`,
      );
      product.innerHTML = `${factors.join("")}<b>= ${write(times(path))}</b>`;
      const buttons = added().map((way) => {
        const stops = [...way].map((edge) => edges[edge][3]);
        return `<button type="button">${stops.join(" ← ")} × ${write(times(way))}</button>`;
      });
      next.innerHTML = buttons.join("");

      const place = spec.sizes.reduce((place, size, k) => place * size + +now[k], 0);
      let total = 0;
      const ends = [0, spec.four[place], spec.exact[place], 0.01];
      const steps = [...taken].map((word, row) => {
        const before = total;
        total += times(word);
        ends.push(total);
        return `<b class="gtt-family-${paths[word]}" style="--row:${row};--a:${before};--b:${total}"></b>`;
      });
      bars.innerHTML = steps.join("");
      root.style = `--low:${Math.min(...ends)};--high:${Math.max(...ends)};--four:${ends[1]};--exact:${ends[2]}`;
      four.textContent = write(ends[1]);
      exact.textContent = write(ends[2]);
      readout.innerHTML = spec.said[place];
      sum.textContent = `${said} ${taken.size} of ${words.length} paths add up to ${write(total)}. The exact gradient is ${write(ends[2])}.`;
    }

    root.addEventListener("click", ({ target }) => {
      const part = target.closest("[data-edges]");
      const { layer: name } = target.closest("[data-layer]")?.dataset ?? {};
      const on = added();
      const k = part
        ? on.findIndex((way) => passes(part, way))
        : [...next.children].indexOf(target);
      if (k >= 0) {
        const text = next.children[k].textContent;
        path = (ways[path] ? path : start) + on[k];
        const kind = spec.kinds[paths[path]];
        if (kind) taken.add(path);
        draw(`${text}: ${write(times(path))} ${kind ?? "so far"}.`);
        if (!part) next.firstChild.focus();
      }
      if (name) {
        const mine = layer(name);
        const there = mine.every((word) => taken.has(word));
        for (const word of mine) taken[there ? "delete" : "add"](word);
        path = start;
        draw();
      }
    });
    // a question may ask for a setting (bptt_core.ask.states)
    root.addEventListener("input", () => {
      draw();
      const settings = Object.fromEntries(now.map((at, k) => [spec.names[k], spec.texts[k][at]]));
      const detail = { name: root.id, at: now.map(Number), settings, touched: true };
      root.dispatchEvent(new CustomEvent("gtt:setting", { bubbles: true, detail }));
    });
    // #lab=follow-a-path&w_g=-2 sets it; what the address does not name is as it opens
    const read = () => {
      const query = new URLSearchParams(location.hash.slice(1).replaceAll("-", "−"));
      if (query.get("lab") === root.id.replaceAll("-", "−"))
        inputs.forEach((input, k) => {
          const at = spec.texts[k].indexOf(query.get(spec.names[k]));
          input.value = at < 0 ? opened[k] : at;
        });
      draw();
    };
    const opened = inputs.map((input) => input.value);
    addEventListener("hashchange", read);
    read();
  }

  // the first drawing gives it a style
  const mountAll = (el) => el.querySelectorAll(".gtt-follow:not([style])").forEach(mount);
  globalThis.gttFollow = {
    render({ model, el }) {
      el.innerHTML = model.get("_html");
      mountAll(el);
    },
  };
  mountAll(document);
})();
