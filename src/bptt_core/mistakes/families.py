"""Slips without a name, made from the lines of a pass by the operations people slip in.

A line is a sum of terms, a term a product of factors. A factor is left out, taken twice, taken at
the step before or after, or another quantity stands in its place; a slope is another slope; a term
is left out, added twice or has the wrong sign; a matrix is transposed or is another gate's; gates
change places; a sum counts some steps only, or is divided by what it should not be. Each becomes a
`Mistake` that says so. No cell is named here.
"""

import re

from bptt_core.mistakes.bookkeeping import SUMS, counts, cuts, gates, losses
from bptt_core.mistakes.listing import Edit
from bptt_core.mistakes.mistake import Mistake
from bptt_core.mistakes.wording import SLOPE, VALUE, said, target, the_factor

__all__ = ["families"]

DIFFERENCE = re.compile(r"\((.+) - (.+)\)")  # (1 - z[t]), (h[t - 1] - n[t])
WRAPS = ", with index −1 at the first step,"
STAYS = ", and the last one at the last step,"


def families(listing):
    """Every slip that these operations make of the backward pass of a `Listing`."""
    for mistake in _families(listing):
        for pattern, words in listing.module.WORDS.items():
            mistake = mistake._replace(
                explanation=re.sub(pattern, words, mistake.explanation),
                hidden=re.sub(pattern, words, mistake.hidden),
            )
        yield mistake


def _families(listing):
    flow = [line for line in listing.backward.lines if line.name != "for" and not line.adds]
    sums = [line for line in listing.backward.lines if line.adds]
    letters = [name for name in listing.module.Cache._fields if len(name) == 1 and name != "x"]
    used = list(dict.fromkeys(factor for line in flow for factor in _factors_of(line)))
    slopes = {v: phi for phi, v in SLOPE.findall(" ".join(used))}
    values = [f"{v}[t]" for v in letters]
    values += [value for value in ("h[t - 1]", "c[t - 1]") if value[0] in letters]
    carried = [line.name for line in flow if line.name.endswith("_next")]
    yield from counts(SUMS, "every gradient")
    yield from gates(flow)
    for number, line in enumerate(flow):
        if "concatenate" in line.text:
            continue
        totals = [other.name for other in flow[:number] if other.name.endswith("_t")]
        gradients = ["dh[t]", *totals, *carried]
        yield from _terms(line)
        for factor in _factors_of(line):
            if VALUE.fullmatch(factor):
                yield from _values(line, factor, values, slopes, used)
            if SLOPE.fullmatch(factor):
                yield from _slopes(line, factor, slopes, values)
            if factor in gradients:
                yield from _gradients(line, factor, gradients)
            if difference := DIFFERENCE.fullmatch(factor):
                yield from _differences(line, *difference.groups(), values)
        yield from _factors(line, values + [f"{phi}.df({v}[t])" for v, phi in slopes.items()])
        yield from _matrices(line, {other.name: other for other in flow}, totals)
        yield from _parentheses(line, flow)
        if line.name in carried:
            yield from _carries(line, totals)
    yield from losses()
    for line in sums:
        if len(listing.module.GATES) == 1:
            yield from _gradients(line, "da", ["dh[t]", "dh_t"])
        for match in VALUE.finditer(line.text):
            yield from _values(line, match[0], values if match[1] in letters else [])
        yield from counts(line.name, line.name)
    yield from cuts()


def _slip(line, old, new, explanation, hidden, common=True):
    """The mistake of writing `new` for `old` in one line."""
    if old == line.text and old in new:  # so that it can be made in a line that has another slip
        found = "(.+)"
        written = new.replace(old, r"\1")
    else:
        start = r"(?<!\w)" if old[0].isalnum() else ""
        stop = r"(?!\w|\.mT\b)" if old[-1].isalnum() and old != "da" else ""
        found = start + re.escape(old) + stop
        written = new
    name = f"{line.name}: {old.strip(' +*')} → {new.strip() or 'nothing'}"
    edits = (Edit(re.escape(line.name), found, written),)
    return Mistake(name, explanation, hidden, edits, common)


def _factors_of(line):
    return [factor for term in line.text.split(" + ") for factor in re.split(" [*@] ", term)]


def _terms(line):
    """A term left out, added twice, alone, or with the wrong sign."""
    where = target(line.name)
    terms = line.text.split(" + ")
    for k, term in enumerate(terms):
        what = said(term)
        hidden = f"{what} is 0"
        if len(terms) == 1:
            yield _slip(line, term, f"-({term})", f"the sign of {where} is wrong", hidden)
            continue
        if len(terms) > 2:
            alone = f"of {where} only {what} is there"
            yield _slip(line, line.text, term, alone, "the other terms are 0", False)
        left_out = (f" + {term}", "") if k else (f"{term} + ", "")
        minus = (f" + {term}", f" - {term}") if k else (term, f"-({term})")
        yield _slip(line, *left_out, f"{what} is missing in {where}", hidden)
        yield _slip(line, *minus, f"{what} has the wrong sign in {where}", hidden)
        yield _slip(line, term, f"2 * {term}", f"{what} was added twice in {where}", hidden, False)


def _factors(line, more):
    """A factor left out, taken twice, or one too many."""
    where = target(line.name)
    for term in line.text.split(" + "):
        if "@" in term:
            continue
        factors = term.split(" * ")
        for factor in factors[1:]:
            what = the_factor(factor)
            hidden = f"{said(factor)} is near 1"
            yield _slip(line, f" * {factor}", "", f"{what} is missing in {where}", hidden)
            twice = f"{what} was taken twice in {where}"
            yield _slip(line, factor, f"{factor} ** 2", twice, hidden, False)
        for factor in more:
            if factor not in factors:
                extra = f"{the_factor(factor)} was taken into {where}, where it does not belong"
                if len(factors) == 1:
                    extra = f"{said(term)} was multiplied by {said(factor)} in {where}"
                elif " + " in line.text:
                    extra = f"{the_factor(factor)} was taken into {said(term)} too"
                hidden = f"{said(factor)} is near 1"
                yield _slip(line, term, f"{term} * {factor}", extra, hidden, False)


def _values(line, value, values, slopes=(), used=()):
    """Another quantity in the place of one, or the same at another step."""
    v, before = VALUE.fullmatch(value).groups()
    if before:
        near = {
            f"((t > 1) * {v}[t - 1])": f"0 for {v}_0",
            f"{v}[t]": f"{v}_t",
            f"((t > 1) * {v}[t - 2])": f"{v}_{{t−2}}",
            f"{v}[t - 2]": f"{v}_{{t−2}}{WRAPS}",
        }
    else:
        near = {
            f"{v}[t - 1]": f"{v}_{{t−1}}",
            f"((t > 1) * {v}[t - 1])": f"{v}_{{t−1}}, and 0 at the first step,",
            f"{v}[t - 1 or T]": f"{v}_{{t−1}}{WRAPS}",
            f"((t < T) * {v}[min(t + 1, T)])": f"{v}_{{t+1}}",
            f"{v}[min(t + 1, T)]": f"{v}_{{t+1}}{STAYS}",
        }
    far = {other: said(other) for other in values if other not in (value, *near)}
    far[f"(1 - {value})"] = f"1 − {said(value)}"
    if v in slopes:
        far[f"{slopes[v]}.df({value})"] = said(f"{slopes[v]}.df({v}[t])")
    for new, what in (near | far).items():
        explanation = f"{what} was used in {target(line.name)} where {said(value)} belongs"
        hidden = f"{what.split(',')[0]} and {said(value)} are equal"
        common = new in used or (new in near and "," not in what)
        yield _slip(line, value, new, explanation, hidden, common)


def _slopes(line, slope, slopes, values):
    """Another function in the place of a slope, or the slope at another value."""
    phi, v = SLOPE.fullmatch(slope).groups()
    y = f"{v}[t]"
    what = f"{v}_t"
    usual = {
        f"{phi}.df({phi}.f({y}))": "the slope at a value already activated",
        f"{phi}.df(unsquashed({phi}, {y}))": "the slope with the value before its activation",
        y: f"{what} itself",
        f"(1 - {y})": f"1 − {what}",
        f"(1 - {y} ** 2)": f"1 − {what}², the slope of tanh,",
        f"({y} * (1 - {y}))": f"{what} (1 − {what}), the slope of σ,",
    }
    rare = {
        f"{phi}.df({v}[t - 1])": f"the slope at {v}_{{t−1}}",
        f"((t > 1) * {phi}.df({v}[t - 1]))": f"the slope at {v}_{{t−1}}, and 0 at the first step,",
        f"{phi}.df({v}[t - 1 or T])": f"the slope at {v}_{{t−1}}{WRAPS}",
        f"((t < T) * {phi}.df({v}[min(t + 1, T)]))": f"the slope at {v}_{{t+1}}",
        f"{phi}.df({v}[min(t + 1, T)])": f"the slope at {v}_{{t+1}}{STAYS}",
        f"(1 + {y} ** 2)": f"1 + {what}²",
        f"(1 - {y}) ** 2": f"(1 − {what})²",
        f"{y} ** 2": f"{what}²",
        f"(-2 * {y})": f"−2 {what}",
        f"({y} * (1 + {y}))": f"{what} (1 + {what})",
    }
    rare |= {f"{psi}.df({w}[t])": f"the slope at {w}_t" for w, psi in slopes.items() if w != v}
    for w in dict.fromkeys(value[0] for value in values if value[0] != v):
        rare.setdefault(f"{phi}.df({w}[t])", f"the slope formula with {w}_t")
    for new, other in (usual | rare).items():
        explanation = f"{other} was used in {target(line.name)} where {said(slope)} belongs"
        yield _slip(line, slope, new, explanation, "both are equal", new in usual)


def _differences(line, first, second, values):
    """A difference turned round, made a sum, or one half of it alone; another value in it."""
    what = said(f"({first} - {second})")
    hidden = f"{said(first)} and {said(second)} make no difference"
    for new in (first, second, f"({second} - {first})", f"({first} + {second})"):
        explanation = f"{said(new)} was used in {target(line.name)} where {what} belongs"
        yield _slip(line, f"({first} - {second})", new, explanation, hidden)
    for value in filter(VALUE.fullmatch, (first, second)):
        yield from _values(line, value, values)


def _gradients(line, gradient, gradients):
    """Another gradient in the place of one."""
    where = target(line.name)
    for other in gradients:
        if other != gradient:
            explanation = f"{said(other)} was used in {where} where {said(gradient)} belongs"
            yield _slip(line, gradient, other, explanation, "T = 1, or both are equal")


def _matrices(line, flow, totals):
    """What goes back through a matrix: not transposed, another gate's, from another gate."""
    products = [term.split(" @ ") for term in line.text.split(" + ") if "@" in term]
    same = "T = 1, or both are equal"
    for da, W in products:
        turned = f"{da} was multiplied by {W} instead of its transpose"
        yield _slip(line, W, f"{W}.mT", turned, f"T = 1, or a symmetric {W}")
        diagonal = f"only the diagonal of {W} was used"
        yield _slip(line, f"@ {W}", f"* np.diag({W})", diagonal, f"a diagonal {W}", False)
        for slope in filter(SLOPE.fullmatch, _factors_of(flow[da])):
            again = f"{said(slope)} was taken once more on the way back through {W}"
            yield _slip(line, f"{da} @", f"({da} * {slope}) @", again, "T = 1", False)
        for total in totals:
            wrong = f"{said(total)} went back through {W} where {da} belongs"
            yield _slip(line, da, total, wrong, same, len(products) == 1)
        for other, V in products:
            if V != W:
                wrong = f"{da} went back through {V} where {W} belongs"
                yield _slip(line, W, V, wrong, same)
                wrong = f"{other} went back through {W} where {da} belongs"
                yield _slip(line, da, other, wrong, same, False)


def _parentheses(line, flow):
    """Parentheses left out, or set where they do not belong."""
    if "@" in line.text:
        return
    where = target(line.name)
    for other in flow:
        parts = other.text.split(" + ")
        start = f"{other.name} * "
        if len(parts) > 1 and line.text.startswith(start):
            rest = line.text.removeprefix(start)
            for k, part in enumerate(parts):
                bare = " + ".join(parts[:k] + parts[k + 1 :])
                only = f"in {where} only {said(part)} got its factors, not all of {other.name}"
                yield _slip(line, line.text, f"{bare} + {part} * {rest}", only, "T = 1", False)
    first, *rest = line.text.split(" + ")
    if rest and " * " in rest[0]:
        head, factors = rest[0].split(" * ", 1)
        too = f"{said(first)} was multiplied by {said(factors)} too in {where}"
        yield _slip(line, line.text, f"({first} + {head}) * {factors}", too, "T = 1", False)


def _carries(line, totals):
    """What a step sends back: scaled, averaged, added to something."""
    text = line.text
    for new, what, common in [
        (f"({text}) + {line.name}", "was added to what came before", True),
        (f"({text}) + dh[t]", "had the loss's own gradient added once more", True),
        *((f"({text}) + {total}", f"had {said(total)} added", False) for total in totals),
        (f"2 * ({text})", "was doubled", False),
        (f"({text}) / 2", "was halved", False),
        (f"({text}) / T", "was divided by the number of steps", False),
        (f"({text}) / len(x[t])", "was divided by the batch size", False),
        (f"({text}).mean(axis=-2, keepdims=True)", "was averaged over the batch", False),
    ]:
        yield _slip(line, text, new, f"{target(line.name)} {what}", "T = 1", common)
