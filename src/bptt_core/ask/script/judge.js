// Typed numbers against a step's table. An answer is scale ∘ (add + map · the answers before it); each of these slots has
// its right values first, then those of the mistakes. Nothing is known here of what they mean.
const SLACK = 2e-5; // the table is rounded to six digits

function compose(step, picks, before) {
  return Array.from({ length: step.n }, (_, i) => {
    let sum = 0, scale = 1;
    step.slots.forEach(({ kind, values }, k) => {
      const v = values[picks[k] || 0];
      if (kind === "scale") scale *= v[i];
      else if (kind === "add") sum += v[i];
      else before.forEach((b, j) => (sum += v[i * before.length + j] * b));
    });
    return sum * scale;
  });
}

const largest = (values) => Math.max(...values.map(Math.abs));
// Wide: a unit of the last digit that was typed, or half a unit of the last one that was asked for. No number stands for
// more than half a unit of that one, and a little: 1 is not 0.95 rounded.
function fit(typed, values, wide, digits) {
  const most = largest(values), part = 10 ** -Math.max(digits || 2, 2), half = 6 * part * 10 ** Math.floor(Math.log10(most));
  return typed.map((t, i) => Math.abs(t.value - values[i]) <= SLACK * most + Math.max(Math.min(t.half, half) * (1 + wide), wide * part / 2 * Math.abs(values[i])));
}
const fits = (...all) => fit(...all).every(Boolean);

// What comes out with no slip, with one, with two: [picks, ids of the sentences], a factor or a transpose being a slip too.
// An id below 0 is no slip: that number is right as well.
function slips(step) {
  const single = step.slots.flatMap(({ ids }, k) => ids.map((id, i) => [{ [k]: i + 1 }, [id]]));
  const pairs = single.flatMap(([a, x], i) => single.slice(i + 1).map(([b, y]) => [{ ...a, ...b }, [...x, ...y]]))
    .filter(([picks]) => Object.keys(picks).length > 1); // two slips at one slot are none
  const turned = ([picks, ids]) => step.factors.map(([factor, id]) => [picks, [...ids, id], factor]);
  const none = [{}, []];
  return [[none, ...single.filter((slip) => slip[1] < 0)], [...single, ...turned(none)], [...pairs, ...single.flatMap(turned)]];
}

function outcome(step, [picks, , factor], before) {
  const values = compose(step, picks, before), columns = step.n / step.rows;
  if (factor === "T") return values.map((_, i) => values[(i % step.rows) * columns + Math.floor(i / step.rows)]);
  return factor ? values.map((v) => v * factor) : values;
}

// The least number of slips that gives these numbers, first as typed, then a unit of the last digit off; from the answers
// before it as they should be, as the reader's slips make them exactly, and as typed.
// Returns {level, wide, found: [{from: which before, ids, values}]}, level 3 if nothing gives them.
function explain(typed, step, befores, levels = [[0, 0], [1, 0], [0, 1], [1, 1], [2, 0]]) {
  const known = slips(step);
  for (const [level, wide] of levels) {
    if (wide && step.whole) continue;
    const found = befores.flatMap((before, from) => known[level]
      .map((slip) => ({ from, ids: slip[1], values: outcome(step, slip, before) })).filter(({ values }) => fits(typed, values, wide, step.digits)));
    if (found.length) return { level, wide, found };
  }
  return { level: 3, found: [] };
}

// Fewer digits than tell the right answer from a wrong one are no answer yet.
function tooFew(typed, step, befores, right) {
  const scale = largest(right);
  const coarse = typed.some((t) => scale && t.digits < step.digits && t.half > 1.2 * 10 ** -step.digits * scale);
  return coarse && explain(typed, step, befores, [[0, 0], [1, 0]]).level > 1 && `Type at least ${step.digits} digits: fewer do not tell right from wrong.`;
}

// How far off, where no known slip explains it.
const short = (x) => {
  const power = Math.floor(Math.log10(Math.abs(x)));
  return (power < -3 || power > 4 ? `about 10^${power}` : String(Number(x.toPrecision(3)))).replace("-", "−");
};
function distance(typed, step, right) {
  const one = step.n < 2;
  if (one && step.whole) return `The right number is ${typed[0].value > right[0] ? "smaller" : "larger"}.`;
  if (!largest(right)) return "The right answer is zero.";
  const ratio = typed.reduce((sum, t, i) => sum + t.value * right[i], 0) / right.reduce((sum, v) => sum + v * v, 0);
  const near = (t, i) => Math.abs(t.value - ratio * right[i]) <= 2 * t.half + 0.01 * Math.abs(ratio) * largest(right);
  const good = fit(typed, right, 1), turned = typed.map((t, i) => ({ ...t, value: good[i] ? t.value : -t.value }));
  if (ratio && typed.every(near)) return `That is ${short(ratio)} times the right ${one ? "number" : "answer, in every entry"}: no mistake I know.`;
  if (fits(turned, right, 1)) return "Right, but for the sign of the marked entries.";
  return `${one ? "" : good.some(Boolean) ? "The entries that are not marked are right. " : "No entry is right. "}No mistake I know gives ${one ? "that" : "these numbers"}.`;
}
