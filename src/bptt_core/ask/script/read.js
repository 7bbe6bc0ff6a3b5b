// What people type, read as a number: its value, half a unit of its last digit, and how many digits it has (Infinity:
// exact). What can be read in two ways is not guessed at: the reader is asked.
const FAULTS = {
  empty: "Type a number first.",
  unread: "I cannot read that as a number. Write it like 0.21, 3/8, 1e-3 or 2.1 × 10^-3.",
  twice: "That can be read in two ways. Write no mark but one decimal point.",
  zero: "That divides by zero.",
  range: "That number is too large or too small.",
};
const NUMBER = /^([+-]?)(\d+\.?\d*|\.\d+)(?:(e|\*10\^|\^|\/)([+-]?)(\d+\.?\d*|\.\d+))?(%?)$/i;

// One spelling for the many: minus signs, raised digits, fractions of one character, spaces that mean nothing.
const tidy = (text) => text
  .replace(/[\u200b-\u200f\u2060]/g, "")
  .replace(/[⁺⁻⁰¹²³⁴-⁹]+/g, "^$&")
  .replace(/[¼-¾⅐-⅞]/g, " $&")
  .normalize("NFKC")
  .replace(/[−‐‑‒–—]/g, "-")
  .replace(/⁄/g, "/")
  .replace(/^[\s=≈~]+|(?<!\d)\s+|\s+(?!\d)/g, "")
  .replace(/\*\*|\^+/g, "^")
  .replace(/[x×·⋅∙](?=10\^)/gi, "*")
  .replace(/\^\(([+-]?\d+)\)/, "^$1");

function read(text) {
  const fault = (kind) => ({ fault: FAULTS[kind] });
  const typed = tidy(text.slice(0, 3000));
  if (!typed) return fault("empty");
  if (/\d[\s'’]\d|[.,]\d*[.,]|(^|[^\d.,])[1-9]\d{0,2},\d{3}(?!\d)/.test(typed)) return fault("twice");
  const m = NUMBER.exec(typed.replace(/,/g, "."));
  if (!m || text.length > 3000) return fault("unread");
  const [, sign, digits, mark, minus, second, percent] = m, scales = mark && mark !== "/" && mark !== "^";
  if ((mark && mark !== "/" && second.includes(".")) || (mark === "^" && percent)) return fault("unread");
  const power = (scales ? Number(minus + second) : 0) - (percent ? 2 : 0), other = Number(minus + second);
  let value = Number(`${digits}e${power}`), half = Number(`5e${power - 1 - (digits.split(".")[1] || "").length}`);
  let count = digits.replace(".", "").replace(/^0+/, "").length;
  if (mark === "/" && !other) return fault("zero");
  if (mark && !scales) [value, half, count] = [mark === "/" ? value / other : value ** other, 0, Infinity];
  if (!Number.isFinite(value) || !Number.isFinite(half) || (!value && /[1-9]/.test(digits))) return fault("range");
  if (!value && !digits.includes(".")) [half, count] = [0, Infinity]; // a plain 0 means none at all
  return { value: sign === "-" ? 0 - value : value, half, digits: count };
}
