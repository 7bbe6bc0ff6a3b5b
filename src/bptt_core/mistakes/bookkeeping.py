"""Slips in what is summed: other losses, gates in another order, sums that count wrongly."""

import re
from itertools import permutations

from bptt_core.mistakes.listing import Edit
from bptt_core.mistakes.mistake import Mistake
from bptt_core.mistakes.wording import said, the_factor

__all__ = ["DA", "SUMS", "counts", "cuts", "gates", "losses"]

SUMS = r"dW_\wh|db_\w+"  # the lines that add to the gradients of the parameters
DA = r"\b(d[a-z](?:_\w)?)\b"  # the gradient of one step in such a line: da, da_n, dv
LONGEST = 8  # steps: a sweep that is cut after more is not looked for
ALIKE = "all steps have the same dh"
LOSSES = [  # in the place of dh[t], explanation, when it is hidden
    ("dh[t - 1]", "the loss of step t − 1 was put in at step t", ALIKE),
    ("dh[t - 1 or T]",
     "the loss of step t − 1 was put in at step t, with index −1 at the first step", ALIKE),
    ("((t < T) * dh[min(t + 1, T)])", "the loss of step t + 1 was put in at step t", ALIKE),
    ("dh[min(t + 1, T)]",
     "the loss of step t + 1 was put in at step t, and the last one twice", ALIKE),
    ("dh[: t + 1].sum(axis=0)", "the losses of all steps up to t were put in at step t",
     "only the last step has a loss"),
    ("dh[t:].sum(axis=0)", "the losses of all steps from t on were put in at step t",
     "only the first step has a loss"),
    ("dh.sum(axis=0)", "the losses of all steps were put in at every step", "T = 1"),
    ("((t < T) * dh[t])", "the loss of the last step was left out", "the last step has no loss"),
    ("((t > 1) * dh[t])", "the loss of the first step was left out", "the first step has no loss"),
    ("((t == 1) * dh[t])", "only the loss of the first step was sent back",
     "the other losses are 0"),
]  # fmt: skip
COUNTS = [  # in the place of a sum's term \1, explanation, when it is hidden
    (r"(t == T) * (\1)", "only the last step was counted in {}", "T = 1"),
    (r"(t == 1) * (\1)", "only the first step was counted in {}", "T = 1"),
    (r"(t > 1) * (\1)", "the first step was left out of {}", "never"),
    (r"(t < T) * (\1)", "the last step was left out of {}", "never"),
    (r"-(\1)", "the sign of {} is wrong", "never"),
    (r"0 * (\1)", "{} was not filled in", "never"),
    (r"2 * (\1)", "{} was doubled", "never"),
    (r"(\1) / 2", "{} was halved", "never"),
    (r"(\1) / len(x[t])", "{} was divided by the batch size", "B = 1"),
    (r"(\1) / T", "{} was divided by the number of steps", "T = 1"),
    (r"(\1) / (T * len(x[t]))",
     "{} was divided by the number of steps times the batch size", "T = B = 1"),
    (r"(\1) * len(x[t])", "{} was multiplied by the batch size", "B = 1"),
    (r"(\1) * T", "{} was multiplied by the number of steps", "T = 1"),
]  # fmt: skip


def losses():
    """The loss of another step, or of several."""
    for new, explanation, hidden in LOSSES:
        edits = (Edit("dh_t", r"dh\[t\]", new),)
        yield Mistake(f"dh_t: dh[t] → {new}", explanation, hidden, edits)


def counts(lines, what):
    """Sums that count some steps only, or are multiplied by something."""
    for new, explanation, hidden in COUNTS:
        explanation = explanation.format(what)
        yield Mistake(explanation, explanation, hidden, (Edit(lines, "(.+)", new),))


def cuts():
    """Sweeps that are cut, or that stop too soon."""
    for k in range(2, LONGEST + 1):
        for first, count in (("first", "t"), ("last", "(T - t)")):
            explanation = f"the sweep was cut after every {k} steps, counted from the {first} one"
            edit = Edit(r"d\w_t", r"\b(d\w_next)\b", rf"({count} % {k} > 0) * \1")
            name = f"cut after every {k} from the {first}"
            yield Mistake(name, explanation, f"T ≤ {k}", (edit,), False)
        edit = Edit(SUMS, DA, rf"((t > T - {k}) * \1)")
        explanation = f"the sweep stopped after {k} steps"
        yield Mistake(f"stops after {k}", explanation, f"T ≤ {k}", (edit,), False)


def gates(flow):
    """Gates that change places where they are stacked, or that something is missing from there."""
    stacks = [line for line in flow if "concatenate" in line.text]
    if not stacks:
        return
    rows = [re.search(r"\[(.+)\]", line.text)[1].split(", ") for line in stacks]
    everywhere = "|".join(line.name for line in stacks)
    yield from _orders(stacks, rows, next(line for line in flow if line.name == "dh_next"))
    texts = {line.name: line.text for line in flow}
    for k, name in enumerate(rows[0]):
        gate = name[-1]
        empty = f"the gradients of gate {gate}'s weights were not filled in"
        alike = "|".join(row[k] for row in rows)
        edits = (Edit(everywhere, rf"\b({alike})\b", r"0 * \1"),)
        yield Mistake(f"gate {gate} not filled in", empty, "never", edits)
        turned = f"the outer product of dW_h{gate} is the wrong way round"
        edits = (Edit("dW_hh", "(.+)", rf"transposed(\1, {k})"),)
        yield Mistake(f"dW_h{gate} transposed", turned, "in dW_xh and db_h", edits)
        factors = texts[name].split(" * ")
        for left_out in factors[1:]:
            rest = " * ".join(factor for factor in factors if factor != left_out)
            missing = (
                f"{the_factor(left_out)} is missing where {name} enters the weights' gradients"
            )
            hidden = f"{said(left_out)} is near 1"
            edits = (Edit(everywhere, rf"\b{name}\b", rest),)
            yield Mistake(f"{stacks[0].name}: {name} → {rest}", missing, hidden, edits, False)


def _orders(stacks, rows, back):
    """The gates stacked in another order, and W_hh with them or not."""
    right = ", ".join(name[-1] for name in rows[0])
    terms = back.text.split(" + ")
    matrices = dict(term.split(" @ ") for term in terms if "@" in term)
    for order in list(permutations(range(len(rows[0]))))[1:]:
        stacked = ", ".join(rows[0][k][-1] for k in order)
        explanation = f"the gates were stacked in the order {stacked} where {right} belongs"
        edits = []
        for line, names in zip(stacks, rows, strict=True):
            moved = ", ".join(names[k] for k in order)
            edits.append(Edit(line.name, ".+", line.text.replace(", ".join(names), moved)))
        yield Mistake(f"order {stacked}", explanation, "all gates are alike", tuple(edits))
        names = rows[-1]
        if not matrices.keys() >= set(names):
            continue
        too = f"{explanation}, and W_hh was split in that order too"
        wrong = {names[k]: matrices[name] for k, name in zip(order, names, strict=True)}
        others = [term for term in terms if "@" not in term]
        split = " + ".join((*others, *(f"{name} @ {wrong[name]}" for name in names)))
        name = f"order {stacked}, W_hh too"
        edits.append(Edit(back.name, ".+", split))
        yield Mistake(name, too, "all gates are alike", tuple(edits), False)
