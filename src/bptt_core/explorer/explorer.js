// Moves the figures that bptt_core.explorer draws. All numbers come from Python: a table of path coordinates over the grid
// of settings, and with a kernel the exact curve. This script looks up, draws, and maps axes; it computes nothing else.
// One source, two mounts: a classic script in a published page, an ES module (anywidget) in a notebook with a kernel.
(() => {
  "use strict";
  const UNITS = 16, GAP = -32768; // coordinates are 1/16 of a point; GAP means "not drawn here"
  let mounts = 0;

  async function unpack(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(stream).arrayBuffer()), n = planes.length / 2;
    return Int16Array.from({ length: n }, (_, i) => planes[i] | (planes[n + i] << 8)); // low bytes first, then high bytes
  }

  const near = (list, v) => list.reduce((best, x, i) => (Math.abs(x - v) < Math.abs(list[best] - v) ? i : best), 0);

  // Where `value` lies on a control's grid: a fraction between two grid values for a slider.
  function place(control, value) {
    if (control.options) return Math.max(0, control.values.indexOf(value));
    const v = control.values, i = v.findIndex((x) => x >= value);
    return i < 0 ? v.length - 1 : i === 0 ? 0 : i - (v[i] - value) / (v[i] - v[i - 1]);
  }

  function valueAt(control, index) {
    const i = Math.floor(index), v = control.values;
    return i === index ? v[i] : Number((v[i] + (index - i) * (v[i + 1] - v[i])).toPrecision(6));
  }

  async function mount(root, model) {
    if (root.dataset.mounted) return;
    root.dataset.mounted = ++mounts;
    const $ = (selector) => root.querySelector(selector), all = (selector) => [...root.querySelectorAll(selector)];
    const spec = JSON.parse($("script").textContent), { controls, items } = spec;
    const svgs = all(".gtt-svg"), readout = $(".gtt-readout"), status = $(".gtt-status");
    const play = $(".gtt-play"), numbers = $(".gtt-numbers");
    const start = controls.map((c) => c.values[c.start]), now = [...start];
    let said, table, timer, waiting, telling = false, touched = false, playing = 0, reveal = 1, frame;

    // --- the table: for each series of coordinates, how far one step along each control moves in it
    function unfold() {
      let offset = 0;
      const series = (n, varies) => {
        const strides = [];
        let size = n;
        for (let k = controls.length - 1; k >= 0; k--) {
          strides[k] = varies[k] ? size : 0;
          size *= varies[k] ? controls[k].values.length : 1;
        }
        return { n, data: table.subarray(offset, (offset += size)), strides };
      };
      const sum = (data, stride, length) => {
        for (let i = stride; i < data.length; i++) if (Math.floor(i / stride) % length) data[i] += data[i - stride];
      };
      const summed = (n, varies, along) => {
        const s = series(n, varies);
        if (along >= 0) sum(s.data, s.strides[along], controls[along].values.length);
        sum(s.data, 1, n);
        return s;
      };
      for (const item of items) [item.x, item.y] = item.varies.map((varies, k) => summed(item.n, varies, item.along[k]));
      spec.cells = spec.columns.map((c) => summed(c.n, c.varies, c.along));
      spec.said = spec.words.varies.map((varies) => series(1, varies));
    }
    const row = (s, at) => at.reduce((sum, i, k) => sum + i * s.strides[k], 0);
    const part = (s, at) => s.data.subarray(row(s, at), row(s, at) + s.n);
    const gridded = () => now.map((v, k) => { const c = controls[k]; return c.options ? c.values.indexOf(v) : near(c.values, v); });

    function lookUp() {
      const at = gridded();
      return {
        texts: controls.map((c, k) => c.texts[at[k]]),
        words: spec.said.map((s) => spec.words.list[s.data[row(s, at)]]).join(" ").trim(),
        rows: items.map(({ x, y }) => [x, y].map((s) => part(s, at))),
        cells: spec.cells.map((s) => part(s, at)),
      };
    }

    // --- drawing; what has not moved is left alone
    const same = (a, b) => a === b || (a.byteOffset !== undefined && a.byteOffset === b?.byteOffset);
    const put = (node, name, value) => { if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value); };
    // While the reader plays, how far each panel has come along its axis: Infinity where a curve is no function of x.
    function limits() {
      return svgs.map((_, panel) => {
        const playing = (item) => item.time && item.panel === panel;
        const shown = items.flatMap((item, j) => (playing(item) ? [frame.rows[j][0].filter((x) => x !== GAP)] : []));
        if (shown.some((xs) => xs.some((x, i) => x < xs[i - 1]))) return Infinity;
        const first = Math.min(...shown.map((xs) => xs[0])), last = Math.max(...shown.map((xs) => xs[xs.length - 1]));
        return first + reveal * (last - first);
      });
    }
    function upTo(limit, x, y) {
      const i = x.findIndex((v) => v > limit);
      if (i < 1 || y[i] === GAP || y[i - 1] === GAP) return [x.slice(0, Math.max(i, 0)), y];
      const cut = y[i - 1] + ((limit - x[i - 1]) / (x[i] - x[i - 1])) * (y[i] - y[i - 1]);
      return [[...x.slice(0, i), limit], [...y.slice(0, i), cut]];
    }
    function draw() {
      const reached = reveal < 1 ? limits() : [];
      items.forEach((item, j) => {
        let [x, y] = frame.rows[j], end = x.length;
        if (item.time && reveal < 1) {
          const limit = reached[item.panel];
          if (limit === Infinity) end = Math.ceil(end * reveal);
          else if (x.some((v) => v > limit)) { [x, y] = upTo(limit, x, y); end = x.length; }
        }
        if (item.end === end && same(x, item.row?.[0]) && same(y, item.row[1])) return;
        item.row = [x, y];
        item.end = end;
        if (item.kind === "label") {
          item.node.setAttribute("transform", `translate(${(x[0] - item.at[0]) / UNITS} ${(y[0] - item.at[1]) / UNITS})`);
          return;
        }
        let d = "", dots = "", pen = "M";
        for (let i = 0; i < end; i++) {
          const shown = x[i] !== GAP && y[i] !== GAP, [left, top] = shown ? [x[i] / UNITS, y[i] / UNITS] : [-999, -999];
          if (item.grips[i]) { put(item.grips[i], "cx", left); put(item.grips[i], "cy", top); }
          if (shown) d += `${pen}${left} ${top}`;
          if (shown && item.dots) dots += `M${left} ${top}${item.dot}`;
          pen = shown ? "L" : "M";
        }
        if (item.path) item.path.setAttribute("d", d && item.kind === "area" ? d + "Z" : d);
        if (item.dots) item.dots.setAttribute("d", dots);
      });
      controls.forEach((c, k) => {
        if (c.output && c.output.textContent !== frame.texts[k]) c.output.textContent = frame.texts[k];
        if (c.options) c.inputs.forEach((input) => (input.checked = input.value === now[k]));
        else {
          const index = place(c, now[k]);
          if (Number(c.inputs[0].value) !== index) c.inputs[0].value = index;
          put(c.inputs[0], "style", `--at:${index / (c.values.length - 1)}`);
          put(c.inputs[0], "aria-valuetext", frame.texts[k]);
        }
      });
      if (said === frame.words) return;
      said = frame.words;
      const tag = (name, text) => Object.assign(document.createElement(name), { textContent: text });
      const indexed = (text) => text.split(/_(\w+)/).map((part, i) => (i % 2 ? tag("sub", part) : part)); // W_hh
      readout.replaceChildren(...said.split("*").flatMap((text, i) => (i % 2 ? tag("strong", text) : indexed(text))));
    }

    function show(exact) {
      frame = exact || lookUp();
      draw();
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (touched) status.textContent = readout.textContent;
        const settings = Object.fromEntries(controls.map((c, k) => [c.name, now[k]])), detail = { name: spec.name, settings, at: gridded(), sentence: said, touched };
        root.dispatchEvent(new CustomEvent("gtt:setting", { bubbles: true, detail })); // a question may ask for it: bptt_core.ask
        if (numbers.open) fillTable();
      }, 250);
    }

    // --- the one way a setting changes, whoever changes it
    function set(changes, quiet) {
      let changed = false;
      for (const [k, value] of Object.entries(changes)) {
        if (now[k] !== value) changed = true;
        now[k] = value;
      }
      if (!changed) return;
      touched = true;
      stop();
      show();
      if (quiet) return;
      if (model) tellKernel();
      else tellAddress();
    }

    // --- with a kernel: draw the table at once, ask for the exact curve, fall back to the grid if none comes
    function tellKernel() {
      clearTimeout(waiting);
      waiting = setTimeout(() => {
        root.classList.add("gtt-offline");
        controls.forEach((c, k) => { if (!c.options) now[k] = c.values[near(c.values, now[k])]; });
        steps(1);
        show();
      }, 2500);
      telling = true; // one setting at a time reaches the model: do not read it back half changed
      try {
        controls.forEach((c, k) => model.set(c.name, now[k]));
        model.save_changes();
      } catch { /* a dead kernel: the timer above falls back */ }
      telling = false;
    }
    const steps = (size) => controls.forEach((c) => { if (!c.options) c.inputs[0].step = size; });
    const fromKernel = () => telling || set(controls.map((c) => model.get(c.name)), true);
    function exact() {
      const reply = model.get("_frame");
      $(".gtt-error").textContent = reply.error || "";
      if (!reply.at || reply.at.some((v, k) => v !== now[k])) return; // of a setting already left
      clearTimeout(waiting);
      root.classList.remove("gtt-offline");
      steps(0.1);
      if (!reply.error) show(reply);
    }

    // --- without one: the address holds the setting
    let writing;
    function tellAddress() {
      clearTimeout(writing);
      writing = setTimeout(() => {
        const query = controls.map((c, k) => `&${c.name}=${encodeURIComponent(now[k])}`).join("");
        const moved = now.some((v, k) => v !== start[k]);
        if (!moved && !location.hash.startsWith(`#lab=${spec.name}&`)) return; // it speaks of something else
        try {
          history.replaceState(history.state, "", moved ? `#lab=${spec.name}${query}` : location.pathname + location.search);
        } catch { /* some viewers forbid it */ }
      }, 300);
    }
    function fromAddress(event) {
      const asked = new URLSearchParams(location.hash.slice(1)), mine = asked.get("lab") === spec.name;
      if (asked.has("lab") && !mine) return;
      const changes = mine ? { ...start } : {}; // one address, one picture
      controls.forEach((c, k) => {
        const text = asked.get(c.name) ?? asked.get(c.symbol);
        if (text === null || text.trim() === "") return;
        if (c.options ? c.values.includes(text) : Number.isFinite(Number(text)))
          changes[k] = c.options ? text : c.values[near(c.values, Number(text))];
      });
      set(changes, true);
      const back = ["reload", "back_forward"].includes(performance.getEntriesByType("navigation")[0]?.type);
      if (mine && (event || !back)) root.scrollIntoView({ block: "nearest" }); // a reload keeps the reader's place
    }

    // --- markers: one path of circles is redrawn faster than an element for each
    function dot(item) {
      const marks = [...item.node.querySelectorAll("use")], r = item.radius;
      if (!marks.length) return;
      item.dots = document.createElementNS(svgs[item.panel].namespaceURI, "path");
      item.dots.setAttribute("class", "gtt-dots");
      item.dots.setAttribute("style", marks[0].getAttribute("style"));
      item.dot = `m${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
      marks[0].parentNode.append(item.dots);
      marks.forEach((mark) => mark.remove());
    }

    // --- dragging: the nearest setting whose point lies under the pointer
    function grip(item, k) {
      const svg = svgs[item.panel], circle = document.createElementNS(svg.namespaceURI, "circle");
      circle.setAttribute("class", "gtt-grip");
      circle.setAttribute("r", 15);
      if (item.dots) circle.style.fill = item.dots.style.fill;
      svg.append(circle);
      const axes = item.drag.map((name) => controls.findIndex((c) => c.name === name));
      circle.addEventListener("pointerdown", (event) => {
        if (event.button) return;
        circle.setPointerCapture(event.pointerId);
        event.preventDefault();
      });
      circle.addEventListener("pointermove", (event) => {
        if (!circle.hasPointerCapture(event.pointerId)) return;
        const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
        const at = gridded();
        let best = Infinity, chosen;
        const search = (depth) => {
          if (depth < axes.length) {
            for (let i = 0; i < controls[axes[depth]].values.length; i++) { at[axes[depth]] = i; search(depth + 1); }
            return;
          }
          const [x, y] = [item.x, item.y].map((s) => s.data[row(s, at) + k] / UNITS), away = Math.hypot(x - p.x, y - p.y);
          if (away < best) { best = away; chosen = Object.fromEntries(axes.map((a) => [a, controls[a].values[at[a]]])); }
        };
        search(0);
        set(chosen);
      });
      return circle;
    }

    // --- playing: the curves grow along their axis; with reduced motion in a few jumps
    function stop() {
      cancelAnimationFrame(playing);
      playing = 0;
      reveal = 1;
      if (play) play.textContent = play.dataset.name;
    }
    function run() {
      if (playing) { stop(); draw(); return; }
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches, begun = performance.now();
      play.textContent = "Stop";
      const tick = (t) => {
        const done = Math.max(0, t - begun) / (still ? 6000 : 3500);
        reveal = Math.min(1, still ? Math.ceil(done * 6) / 6 : done);
        if (done >= 1) stop();
        else playing = requestAnimationFrame(tick);
        draw();
      };
      playing = requestAnimationFrame(tick);
    }

    // --- the numbers of what is shown, as Python wrote them: ±(1 + 900 (e + 18) + m − 100) is ±m · 10^(e − 2)
    function fillTable() {
      const written = (code) => {
        const size = Math.abs(code) - 1, digits = `${(size % 900) + 100}e${Math.floor(size / 900) - 20}`;
        return code === GAP ? "" : code === 0 ? "0" : String(Math.sign(code) * Number(digits));
      };
      const body = [spec.columns.map((c) => c.name)], cells = frame.cells;
      for (let i = 0; i < cells[0]?.length; i++) {
        const line = cells.map((column) => written(column[i]));
        if (line[0] && line.slice(1).some((text) => text)) body.push(line); // not what lies outside the axes
      }
      const element = (tag, ...inside) => { const e = document.createElement(tag); e.append(...inside); return e; };
      const head = body[0].map((text) => Object.assign(element("th", text), { scope: "col" }));
      const lines = body.slice(1).map((line) => element("tr", ...line.map((text) => element("td", text))));
      $("table").replaceChildren(element("thead", element("tr", ...head)), element("tbody", ...lines));
      numbers.dataset.tsv = body.map((line) => line.join("\t")).join("\n");
    }
    async function copyTable() {
      try {
        await navigator.clipboard.writeText(numbers.dataset.tsv);
        status.textContent = "Copied.";
      } catch {
        getSelection().selectAllChildren($("table"));
        status.textContent = document.execCommand("copy") ? "Copied." : "Selected: copy with the keyboard.";
      }
      $(".gtt-copy").textContent = status.textContent;
      setTimeout(() => ($(".gtt-copy").textContent = "Copy"), 1500);
    }

    // --- wire up
    controls.forEach((c, k) => {
      c.inputs = all(`[data-control="${c.name}"] input`);
      c.output = $(`[data-control="${c.name}"] output`);
      c.inputs.forEach((input) => {
        if (c.options) input.name += `-${mounts}`;
        input.addEventListener("input", () => set({ [k]: c.options ? input.value : valueAt(c, Number(input.value)) }));
      });
    });
    try {
      table = await unpack(spec.table);
    } catch {
      root.classList.add("gtt-still"); // a browser without DecompressionStream keeps the picture
      return;
    }
    unfold();
    for (const item of items) {
      item.node = svgs[item.panel].querySelector(`[id="${spec.uid}-${item.panel}-${item.gid}"]`);
      item.path = item.node.querySelector(":scope > path");
      if (item.radius) dot(item);
      item.grips = item.drag ? Array.from({ length: item.n }, (_, k) => grip(item, k)) : [];
    }
    $(".gtt-reset").addEventListener("click", () => { stop(); draw(); set({ ...start }); });
    if (play) play.addEventListener("click", run);
    numbers.addEventListener("toggle", fillTable);
    $(".gtt-copy").addEventListener("click", copyTable);
    show();
    all("input, button").forEach((e) => (e.disabled = false));
    root.dataset.ready = "";
    if (!model) {
      fromAddress();
      addEventListener("hashchange", fromAddress);
      return;
    }
    const names = controls.map((c) => `change:${c.name}`);
    steps(0.1);
    fromKernel();
    exact();
    names.forEach((name) => model.on(name, fromKernel));
    model.on("change:_frame", exact);
    return () => { names.forEach((name) => model.off(name, fromKernel)); model.off("change:_frame", exact); };
  }

  const mountAll = () => document.querySelectorAll(".gtt-explorer").forEach((root) => mount(root));
  globalThis.bpttExplorer = {
    async render({ model, el }) {
      el.innerHTML = model.get("_html");
      return mount(el.querySelector(".gtt-explorer"), model);
    },
  };
  if (!document.currentScript) return; // an ES module: the notebook calls render
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", mountAll);
  else mountAll();
})();
