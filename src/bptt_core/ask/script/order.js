// Lines to be put in order, some with a wrong twin. Python ran every program that can be made of them.
kinds.order = ({ root, spec, status }) => {
  const list = root.querySelector(".gtt-ask-lines"), lines = () => [...list.children];
  const chosen = (line) => [...line.querySelectorAll("input")].findIndex((input) => input.checked);
  const place = (line) => lines().indexOf(line) + 1;
  // the neighbour moves, so that the line keeps the focus, or the pointer
  function move(line, by) {
    const other = by < 0 ? line.previousElementSibling : line.nextElementSibling;
    if (other) (by < 0 ? line.after(other) : line.before(other));
  }
  const report = (line) => status(`Now line ${place(line)} of ${list.children.length}.`);
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button"), line = button?.closest("li");
    if (!line) return;
    move(line, Number(button.dataset.by));
    report(line);
  });
  list.addEventListener("pointerdown", ({ target: grip, pointerId }) => {
    const line = grip.matches(".gtt-ask-grip") && grip.parentNode;
    if (!line) return;
    grip.setPointerCapture(pointerId);
    line.classList.add("gtt-held");
    const middle = (item) => { const box = item.getBoundingClientRect(); return box.top + box.height / 2; };
    grip.onpointermove = ({ clientY }) => {
      while (line.previousElementSibling && clientY < middle(line.previousElementSibling)) move(line, -1);
      while (line.nextElementSibling && clientY > middle(line.nextElementSibling)) move(line, 1);
    };
    grip.onlostpointercapture = () => {
      grip.onpointermove = null;
      line.classList.remove("gtt-held");
      report(line);
    };
  });

  const state = () => lines().map((line) => [Number(line.dataset.line), chosen(line)]);
  return {
    answer() {
      const now = state(), picks = Object.fromEntries(now), at = now.map(([line]) => line);
      const open = now.findIndex(([line, pick]) => spec.right[line] !== null && pick < 0);
      if (open >= 0) return { fault: `Choose one of the two in line ${open + 1} first.` };
      const early = (line) => spec.before.find(([first, then]) => then === line && at.indexOf(first) > at.indexOf(line));
      const first = now.findIndex(([line, pick]) => early(line) || (spec.right[line] !== null && spec.right[line] !== pick));
      const disordered = at.some(early), run = spec.runs[spec.right.map((right, line) => (right === null ? "" : picks[line])).join("")];
      const html = [], line = at[first];
      lines().forEach((item, i) => item.classList.toggle("gtt-wrong", i === first));
      if (first >= 0) html.push(`<em>Line ${first + 1} is the first that goes wrong.</em> ${early(line) ? spec.sentences[early(line)[2]] : spec.sentences[spec.said[line][picks[line]]]}`);
      else html.push(spec.why);
      html.push(disordered ? "In this order there is no gradient to measure." : run);
      return { verdict: first < 0 ? "right" : "slip", html, said: first < 0 ? "in order" : `line ${first + 1} wrong`, state: now };
    },
    put: (now) => now.forEach(([line, pick]) => {
      const item = list.querySelector(`[data-line="${line}"]`);
      list.append(item);
      if (pick >= 0) item.querySelectorAll("input")[pick].checked = true;
    }),
  };
};
