// Numbers and matrices, one step after another. A wrong answer is carried on: the next one is judged from it.
kinds.number = kinds.matrix = ({ root, spec, say, keepState }) => {
  const fields = [...root.querySelectorAll(".gtt-ask-step")], many = fields.length > 1;
  const entries = (k) => [...fields[k].querySelectorAll("input")];
  let variant, steps, done, missed;

  // One variant: its table of givens, and for each step its slots, cut from one row of numbers.
  function deal(v) {
    variant = spec.variants[v] ? v : 0;
    const { numbers, given } = spec.variants[variant], right = [];
    let at = 0;
    steps = spec.steps.map((s) => {
      const size = { scale: s.n, add: s.n, map: s.n * right.length };
      const slots = s.slots.map(([kind, ids]) => ({ kind, ids, values: [0, ...ids].map(() => numbers.slice(at, (at += size[kind]))) }));
      const step = { ...s, slots, before: [...right] };
      right.push(...compose(step, {}, step.before));
      return step;
    });
    done = [];
    missed = false;
    given.forEach((html, i) => (root.querySelector(`[data-given="${i}"]`).innerHTML = html));
    root.querySelectorAll("[data-right]").forEach((cell) => (cell.textContent = short(right[cell.dataset.right])));
    fields.forEach((field, k) => {
      field.disabled = k > 0;
      entries(k).forEach((input) => { input.value = ""; input.ariaInvalid = null; });
      if (many) say.clear(field);
    });
  }

  function sentences(level, found) {
    const text = ({ ids }) => ids.map((id) => spec.sentences[id]), all = [...new Set(found.map((one) => text(one).join(" And: ")))];
    if (all.length > 1) return ["At these digits more than one mistake gives this.", ...all.slice(0, 3).map((words, i) => `<em>${i ? "Or" : "Either"}:</em> ${words}`)];
    return [level > 1 ? "Two things at once." : "", ...text(found[0])];
  }

  function judge(k) {
    const step = steps[k], inputs = entries(k), typed = inputs.map((input) => ({ ...read(input.value), ...(step.whole ? { half: 0 } : {}) }));
    const bad = typed.findIndex((t) => t.fault);
    if (bad >= 0) { inputs[bad].focus(); return typed[bad]; }
    const earlier = done.slice(0, k), clean = earlier.every((d) => d.right);
    const exact = earlier.reduce((all, d) => d.values.flatMap((values) => all.map((b) => [...b, ...values])), [[]]);
    const befores = [step.before, ...exact, earlier.flatMap((d) => d.typed)];
    const expected = compose(step, {}, befores[1]), few = tooFew(typed, step, befores, expected);
    if (few) return { fault: few };
    const { level, wide, found } = explain(typed, step, befores), { from, values } = found[0] || {};
    const own = level === 0 && from > 0 && !clean, made = (id) => earlier.some((d) => d.ids.includes(id));
    const again = level === 1 && found.some(({ ids }) => ids.every(made));
    const verdict = level === 0 ? (own ? "carried" : wide ? "near" : "right") : again ? "again" : level === 3 ? "off" : "slip";
    const html = level === 0 ? [wide ? `To three digits: ${values.map(short).join(", ")}.` : "", step.why]
      : level === 3 ? [distance(typed, step, expected)] : again ? ["The same slip as before, and nothing new."] : sentences(level, found);
    const good = level ? fit(typed, expected, 1) : [], numbers = typed.map((t) => t.value);
    inputs.forEach((input, i) => (input.ariaInvalid = level && !good[i] ? "true" : null));
    const exactly = found.length ? found.slice(0, 3).map((one) => one.values) : [numbers];
    done = [...earlier, { right: level === 0 && !own, typed: numbers, values: exactly, ids: found.flatMap(({ ids }) => ids), verdict }];
    return { verdict, html };
  }

  function answer(button) {
    const k = Math.max(0, fields.findIndex((field) => field.contains(button))), result = judge(k);
    if (result.fault) return { ...result, where: fields[k] };
    const wrong = done.filter(({ verdict }) => verdict === "slip" || verdict === "off").length, whole = done.length === steps.length;
    missed = missed || wrong > 0;
    fields.forEach((field, i) => {
      field.disabled = i > done.length;
      if (i > k && many) say.clear(field);
    });
    if (whole && many) result.html.push(wrong ? `In all, ${wrong} of ${steps.length} steps went wrong; the rest was judged from your own numbers.` : "All steps are right.");
    const rows = done.map((_, i) => entries(i).map((input) => input.value.slice(0, 40)));
    const said = rows.map((row) => row.join(", ")).join(" · ").slice(0, 200);
    return { verdict: missed ? "slip" : "right", said, state: [variant, ...rows], open: !whole, spoken: result, where: fields[k] };
  }

  root.querySelector(".gtt-ask-another")?.addEventListener("click", () => {
    deal((variant + 1) % spec.variants.length);
    keepState([variant]);
    entries(0)[0].focus();
  });
  deal(0);
  return {
    answer,
    put([v, ...rows]) {
      deal(v);
      rows.every((row, k) => {
        entries(k).forEach((input, i) => (input.value = row[i] || ""));
        const result = answer(fields[k]);
        say(result.spoken || result, result.where);
        return !result.fault && fields[k + 1];
      });
    },
    still: true, // what was kept has just been said
  };
};
