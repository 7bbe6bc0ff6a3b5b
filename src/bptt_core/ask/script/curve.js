// A curve drawn by the reader, then the truth over it. Each point of it is a slider of its own.
kinds.curve = ({ root, spec }) => {
  const svg = root.querySelector("svg"), inputs = [...root.querySelectorAll("input")], dots = [...svg.querySelectorAll("circle")];
  const values = () => inputs.map((input) => Number(input.value));
  const height = (v) => spec.top + ((spec.high - v) / (spec.high - spec.low)) * spec.height;
  let touched = false;

  function draw() {
    const v = values();
    svg.querySelector(".gtt-guess").setAttribute("d", v.map((y, i) => `${i ? "L" : "M"}${spec.x[i]} ${height(y)}`).join(""));
    dots.forEach((dot, i) => dot.setAttribute("cy", height(v[i])));
    inputs.forEach((input, i) => (input.ariaValueText = short(10 ** v[i])));
  }
  function follow(event) {
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const away = spec.x.map((x) => Math.abs(x - p.x)), i = away.indexOf(Math.min(...away));
    inputs[i].value = spec.high - ((p.y - spec.top) / spec.height) * (spec.high - spec.low);
    touched = true;
    draw();
  }
  svg.addEventListener("pointerdown", ({ target, pointerId }) => {
    if (!target.matches("circle")) return;
    svg.setPointerCapture(pointerId);
    svg.onpointermove = follow;
    svg.onlostpointercapture = () => (svg.onpointermove = null);
  });
  inputs.forEach((input, i) => {
    input.addEventListener("input", () => { touched = true; draw(); });
    input.addEventListener("focus", () => dots[i].classList.add("gtt-held"));
    input.addEventListener("blur", () => dots[i].classList.remove("gtt-held"));
  });

  const many = (d) => (d < 0.75 ? "half a decade" : d < 1.25 ? "one decade" : `${Number(d.toFixed(1))} decades`);
  const within = (a, b) => a.every((v, i) => Math.abs(v - b[i]) <= spec.within + 1e-9);
  function compare(v) {
    const off = v.map((y, i) => y - spec.truth[i]), worst = off.reduce((w, d, i) => (Math.abs(d) > Math.abs(off[w]) ? i : w), 0);
    if (within(v, spec.truth)) return ["right", ["Nowhere more than " + many(spec.within) + " off.", spec.why]];
    const slip = spec.slips.find(([curve]) => within(v, curve)), good = spec.at.filter((_, i) => Math.abs(off[i]) <= spec.within);
    const side = off.every((d) => d > spec.within) ? "Too high everywhere, most at" : off.every((d) => d < -spec.within) ? "Too low everywhere, most at" : "Furthest off at";
    const where = `${side} ${spec.axis} ${spec.at[worst]}: ${many(Math.abs(off[worst]))} ${off[worst] < 0 ? "low" : "high"}.`;
    return [slip ? "slip" : "off", [slip ? slip[1] : "", where, good.length ? `Within ${many(spec.within)} at ${spec.axis} ${good.join(", ")}.` : "", spec.why]];
  }
  draw();
  return {
    answer() {
      if (!touched) return { fault: "Draw first: move the points to where you expect them." };
      const v = values(), [verdict, html] = compare(v);
      root.classList.add("gtt-drawn");
      return { verdict, html, said: `${short(10 ** v[v.length - 1])} at ${spec.axis} ${spec.at[v.length - 1]}`, state: v };
    },
    put(v) {
      inputs.forEach((input, i) => (input.value = v[i]));
      touched = true;
      draw();
    },
    shown: () => root.classList.add("gtt-drawn"),
  };
};
