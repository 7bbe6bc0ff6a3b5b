"""The search for the mistakes that give exactly some gradients."""

import numpy as np

from bptt_core._arrays import upstream
from bptt_core._checks import number_array, wanted
from bptt_core.cells import checked
from bptt_core.explicit import pass_of
from bptt_core.mistakes.causes import causes
from bptt_core.mistakes.comparison import Comparison
from bptt_core.mistakes.diagnosis import Diagnosis, Finding, listed
from bptt_core.mistakes.known import programs_of
from bptt_core.mistakes.listing import listing_of
from bptt_core.mistakes.lockstep import gradients as sweep

__all__ = ["diagnose"]

MOST = 30_000  # pairs of mistakes; of more, only those of two common ones are tried
LUCK = 1e-4  # how likely one of them may fit by chance, for pairs to be tried at all


def diagnose(params, cache, dh, gradients, *, rtol=1e-8, thorough=False):
    """Compare gradients with the right ones and with those of all known mistakes: a `Diagnosis`.

    params     of one network, and cache of its forward pass
    dh         ∂⁺L/∂h_t (T, B, H) or {t: array}
    gradients  `Params`, `Gradients`, or {name: array} with at least one of the parameters
    rtol       how far apart equal gradients may be, relative to the largest entry
    thorough   True: try pairs of rare slips too; for an LSTM it takes some seconds

    What is right is never given the name of a mistake. Mistakes that these inputs cannot tell apart
    are all named, with what about the inputs is to blame.

    >>> diagnosis = diagnose(params, cache, dh, right._replace(W_hh=right.W_hh.T))
    >>> diagnosis.right
    False
    >>> print(diagnosis)
    It looks as if the outer product of dW_hh is the wrong way round.

    ValueError: a grid of networks, gradients of other shapes or with NaN."""
    return _Search(params, cache, dh, gradients, rtol, thorough).diagnosis()


class _Search:
    """One gradient, and what is tried on it."""

    def __init__(self, params, cache, dh, gradients, rtol, thorough=False):
        self.params = checked(params, cache)
        if self.params.W_hh.ndim != 2:
            raise wanted("params", f"a grid {self.params.W_hh.shape[:-2]}", "one network")
        self.given = _given(self.params, gradients)
        self.module = pass_of(self.params, cache)
        self.listing = listing_of(self.module)
        self.arguments = self.module.arguments(cache)
        self.cache = self.module.plain(cache)
        self.dh = upstream("dh", dh, cache.h[1:].shape, cache.h.dtype)
        self.rtol = rtol
        self.thorough = thorough
        known = [pair for pair in programs_of(self.module) if pair[0].concerns(self.params, cache)]
        self.mistakes = [mistake for mistake, _ in known]
        self.programs = [texts for _, texts in known]
        self.table = self.compare([{}, *self.programs])

    def compare(self, programs, names=None):
        """What the programs give, beside what was given."""
        given = {name: self.given[name] for name in names or self.given}
        rows = len(self.params.W_hh)
        blocks = {n: len(self.module.GATES) if len(v) == rows else 1 for n, v in given.items()}
        values = sweep(
            self.listing, self.params, self.arguments, self.dh, programs, list(given), self.cache
        )
        return Comparison(values, given, blocks, self.rtol)

    def diagnosis(self):
        factors = self.table.factors()
        changes = self.table.touch[1:].any(axis=1)
        unseen = [m for m, seen in zip(self.mistakes, changes, strict=True) if not seen]
        found = Diagnosis("unknown", self.table.errors(), factors, unseen=tuple(unseen))
        if self.table.fits[0]:
            return found._replace(kind="right")
        findings = self.alone()
        if not findings and len(factors) == len(self.given):
            sizes = dict(zip("TB", self.dh.shape[:2], strict=True))
            return found._replace(kind="factor", sizes=sizes)
        findings = findings or self.somewhere() or self.changed() or self.pairs()
        if findings:
            known = found._replace(kind="known", findings=tuple(findings))
            return known if findings[0].where else known._replace(because=causes(self, findings))
        return found._replace(partly=self.partly(), gates=self.gates())

    def alone(self):
        """One mistake."""
        rows = np.flatnonzero(self.table.fits[1:])
        return [Finding((self.mistakes[row],)) for row in rows]

    def somewhere(self):
        """One mistake in some blocks, the others right: what would change the fewest of those."""
        right = self.table.match[0]
        touch = self.table.touch[1:]
        rows = np.flatnonzero(self.table.match[1:][:, ~right].all(axis=1)) if right.any() else []
        least = min((touch[row, right].sum() for row in rows), default=0)
        rows = [row for row in rows if touch[row, right].sum() == least]
        return [
            Finding((self.mistakes[row],), where=self.places(~right, touch[row])) for row in rows
        ]

    def places(self, wrong, touch):
        """In words, the blocks that are wrong, of those that a mistake would touch."""
        wrong, touch = self.table.by_array(wrong[None]), self.table.by_array(touch[None])
        said = {}
        for name in self.given:
            if wrong[name].any():
                letters = [g for g, w in zip(self.module.GATES, wrong[name][0], strict=False) if w]
                whole = (wrong[name] == touch[name]).all()
                said.setdefault("" if whole else f"at gate {listed(letters)} ", []).append(
                    f"d{name}"
                )
        return " and ".join(f"{at}in {listed(names)}" for at, names in said.items())

    def changed(self):
        """One mistake whose outcome was multiplied, or one or none whose outcome was clipped."""
        chosen = [(), *((mistake,) for mistake in self.mistakes)]
        multiples = [Finding(chosen[row], factor=k) for row, k in self.table.multiples()]
        clipped = [Finding(chosen[row], clip=k) for row, k in self.table.clipped()]
        if self.by_chance(len(chosen), self.table.got.size - 1):
            return []
        return multiples[:1] or clipped[:1]

    def by_chance(self, candidates, numbers):
        """Whether some of so many candidates may well have so many numbers right by chance."""
        return candidates * (2 * self.rtol) ** numbers > LUCK

    def pairs(self):
        """Two mistakes: a block that one of them leaves alone has to be as the other makes it."""
        touch = self.table.touch[1:]
        other = ~self.table.match[1:]
        clash = other.astype(float) @ (~touch).T.astype(float) > 0
        possible = np.triu(~(clash | clash.T), 1)
        empty, given_empty = self.table.empty()
        fills = ~(empty[1:] & ~given_empty).any(axis=1)  # what one mistake leaves empty, none fills
        possible &= np.outer(fills, fills)
        for block in np.flatnonzero(given_empty & ~empty[0]):
            possible &= np.logical_or.outer(empty[1:, block], empty[1:, block])
        whole = touch.all(axis=1)
        common = np.array([mistake.common for mistake in self.mistakes])
        if possible.sum() > MOST and not self.thorough:
            possible &= ~np.outer(whole, whole) | np.outer(common, common)
        if self.by_chance(possible.sum(), self.table.got.size):
            return []
        pairs, programs = [], []
        for i, j in np.argwhere(possible).tolist():
            program = self.together(i, j)
            if program is not None:
                pairs.append((i, j))
                programs.append(program)
        if not pairs:
            return []
        smallest = min(self.given, key=lambda name: self.given[name].size)
        rows = np.flatnonzero(self.compare(programs, [smallest]).fits).tolist()
        if len(self.given) > 1 and rows:
            fits = self.compare([programs[row] for row in rows]).fits
            rows = [row for row, fit in zip(rows, fits, strict=True) if fit]
        return [Finding(tuple(self.mistakes[k] for k in pairs[row])) for row in rows]

    def together(self, i, j):
        """The lines that two mistakes change, or None if they exclude each other."""
        if self.programs[i].keys().isdisjoint(self.programs[j]):
            return self.programs[i] | self.programs[j]
        return self.program(self.mistakes[i], self.mistakes[j])

    def program(self, *mistakes):
        return self.listing.edited([edit for mistake in mistakes for edit in mistake.edits])

    def partly(self):
        """((mistake, arrays), …): the mistakes that alone explain most of the wrong arrays."""
        match = {n: m.all(axis=1) for n, m in self.table.by_array(self.table.match).items()}
        wrong = [name for name, fits in match.items() if not fits[0] and self.given[name].size > 1]
        found = [
            (mistake, tuple(name for name in wrong if match[name][row]))
            for row, mistake in enumerate(self.mistakes, start=1)
        ]
        most = max((len(names) for _, names in found), default=0)
        return tuple(pair for pair in found if pair[1] and len(pair[1]) == most)

    def gates(self):
        """{array: letters} of the gates whose rows are wrong, where some are right."""
        found = {}
        for name, (right, *_) in self.table.by_array(self.table.match).items():
            if right.any() and not right.all():
                found[name] = "".join(
                    g for g, r in zip(self.module.GATES, right, strict=True) if not r
                )
        return found


def _given(params, gradients):
    """{name: array} of the gradients that are there. ValueError: other names or shapes."""
    given = getattr(gradients, "params", gradients)
    given = given._asdict() if hasattr(given, "_asdict") else given
    given = given if isinstance(given, dict) else {}
    given = {name: number_array(name, value) for name, value in given.items() if value is not None}
    wants = {name: w.shape for name, w in params._asdict().items() if w is not None}
    shapes = {name: value.shape for name, value in given.items()}
    if not given or not shapes.items() <= wants.items():
        raise wanted("gradients", shapes, f"one or more of {wants}")
    return {name: given[name] for name in wants if name in given}
