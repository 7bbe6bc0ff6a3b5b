"""The mistakes that have a name of their own, each one line of data.

An edit names a line of the pass, what stands there and what was written in its place, as in
`re.sub`: it is made in every cell that has such a line. {gate} and {other} stand for the letters of
a cell's gates. Slips without a name of their own (a factor taken twice, a term left out) come from
`families`.
"""

from itertools import permutations

from bptt_core.mistakes.bookkeeping import DA, SUMS
from bptt_core.mistakes.listing import Edit
from bptt_core.mistakes.mistake import Mistake

__all__ = ["catalogue"]

ANY_CELL = [  # name, explanation, when it is hidden, edits
    ("recurrence not transposed", "the recurrence was multiplied by W_hh instead of its transpose",
     "in dW_hh while T ≤ 2 and h_0 = 0, and for a symmetric W_hh",
     (r"d\w+", r"@ (W_\w+)", r"@ \1.mT")),
    ("sum over k missing",
     "the sum over all steps is missing: only the chain down to step 1 was kept",
     "T = 1", (SUMS, DA, r"(t == 1) * \1")),
    ("nothing carried back", "the gradient of the next step was never carried back to this one",
     "T = 1", (r"d\w_t", r"\bd\w_next\b", "0")),
    ("state shifted by one", "h_t was used in dW_hh where h_{t−1} belongs",
     "in dW_xh and db_h", ("dW_hh", r"h\[t - 1\]", "h[t]")),
    ("index −1 wraps", "h_0 was looked up at index −1, which is the last state",
     "in dW_xh and db_h, or if h_T = h_0", ("dW_hh", r"h\[t - 1\]", "h[t - 1 or T]")),
    ("time reversed", "the gradient of each step's loss was put in at the mirrored step",
     "all steps have the same dh", ("dh_t", r"dh\[t\]", "dh[T + 1 - t]")),
    ("outer product transposed", "the outer product of dW_hh is the wrong way round",
     "in dW_xh and db_h", ("dW_hh", "(.+)", r"transposed(\1)")),
    ("1 − h for 1 − h²", "1 − h was taken for the slope, which is 1 − h² for tanh",
     "states near 0 or 1", (r"d\w+", r"phi\.df\((\w\[t\])\)", r"(1 - \1)")),
    ("bias averaged over the batch", "db_h was divided by the batch size",
     "B = 1", ("db_h", "(.+)", r"(\1) / len(x[t])")),
    ("bias averaged over time", "db_h was divided by the number of steps",
     "T = 1", ("db_h", "(.+)", r"(\1) / T")),
    ("slope missing", "the derivative of the activation of the state is missing",
     "slopes near 1", ("da|dc_t", r" \* phi\.df\(\w\[t\]\)", "")),
    ("slope of an activated value",
     "the derivative at the state was taken at a value that was activated already",
     "where φ(φ(a)) = φ(a)", ("da|dc_t", r"phi\.df\((\w\[t\])\)", r"phi.df(phi.f(\1))")),
    ("only the last loss", "only the loss of the last step was sent back",
     "while the other losses are 0", ("dh_t", r"dh\[t\]", "(t == T) * dh[t]")),
    ("runs forward in time", "the sweep ran forward in time, from step 1 to step T",
     "T = 1", ("for", ".+", "range(1, T + 1)")),
    ("first sequence only", "only the first sequence of the batch was counted",
     "B = 1", (SUMS, DA, r"(\1 * np.eye(len(x[t]), 1))")),
    ("last sequence only", "only the last sequence of the batch was counted",
     "B = 1", (SUMS, DA, r"(\1 * np.eye(len(x[t]), 1)[::-1])")),
    ("batch summed too early", "the batch was summed before the outer products were taken",
     "B = 1", (r"dW_\wh", r"(d\w+)\.mT @ (\w+\[.+?\])",
      r"\1.sum(axis=-2)[..., None] * \2.sum(axis=-2)[..., None, :]")),
    ("time summed too early",
     "inputs and states were summed over time before the outer products were taken",
     "T = 1", ("dW_xh", r"x\[t\]", "x.sum(axis=0)"),
     ("dW_hh", r"h\[t - 1\]", "h[:-1].sum(axis=0)")),
    ("h_0 taken for zero", "the initial state was taken for zero in dW_hh",
     "h_0 = 0", ("dW_hh", r"h\[t - 1\]", "((t > 1) * h[t - 1])")),
]  # fmt: skip
SECOND_STATE = [  # of a cell with a state c beside h
    ("cell's gradient not carried",
     "the gradient of the cell was never carried back to the step before",
     "T = 1", ("dc_t", r"dc_next \+ ", "")),
    ("state's gradient not carried",
     "the gradient of the state was never carried back to the step before",
     "T = 1", ("dh_t", r" \+ dh_next", "")),
    ("output-gate path dropped",
     "the path h → o → h was dropped: one-step derivatives of c were multiplied",
     "T = 1, and W_ho = 0", ("dh_next", r" \+ da_o @ W_ho", "")),
    ("c_0 taken for zero", "the initial cell was taken for zero in da_f",
     "c_0 = 0", ("da_f", r"c\[t - 1\]", "((t > 1) * c[t - 1])")),
    ("all slopes those of tanh", "1 − y², the slope of tanh, was taken at the σ gates too",
     "never", (r"da_\w", r"sigma\.df\((\w\[t\])\)", r"(1 - \1 ** 2)")),
    ("all slopes those of σ",
     "y (1 − y), the slope of σ, was taken at the candidate and the cell too",
     "a cell that squashes with σ", (r"da_\w|dc_t", r"phi\.df\((\w\[t\])\)", r"sigma.df(\1)")),
    ("no slopes at the gates", "the derivatives of all gates are missing",
     "slopes near 1", (r"da_\w", r" \* \w+\.df\(\w\[t\]\)", "")),
]  # fmt: skip
EACH_GATE = [
    ("slope missing at gate {gate}", "the derivative of gate {gate} is missing",
     "slopes near 1", ("da_{gate}", r" \* \w+\.df\({gate}\[t\]\)", "")),
    ("slope of an activated value at gate {gate}",
     "the derivative of gate {gate} was taken at a value already activated",
     "where φ(φ(a)) = φ(a)", ("da_{gate}", r"(\w+)\.df\(({gate}\[t\])\)", r"\1.df(\1.f(\2))")),
]  # fmt: skip
EACH_PAIR = [
    ("gate {gate} has the bias of gate {other}", "gate {gate} was given the bias of gate {other}",
     "in dW while both are equal",
     (r"{gate}\[t\]", r"\bb_{gate}\b", "b_{other}"),
     ("db_h", r"\bda\b", "lent(da, GATES, '{gate}', '{other}')")),
]  # fmt: skip


def catalogue(gates):
    """The named mistakes, for a cell with these gates."""
    for row in ANY_CELL + SECOND_STATE:
        yield _mistake(row)
    gates = gates if len(gates) > 1 else ""
    for gate in gates:
        for row in EACH_GATE:
            yield _mistake(row, gate)
    for gate, other in permutations(gates, 2):
        for row in EACH_PAIR:
            yield _mistake(row, gate, other)


def _mistake(row, gate="", other=""):
    def filled(text):
        return text.replace("{gate}", gate).replace("{other}", other)

    name, explanation, hidden, *edits = row
    edits = tuple(Edit(*map(filled, edit)) for edit in edits)
    return Mistake(filled(name), filled(explanation), hidden, edits)
