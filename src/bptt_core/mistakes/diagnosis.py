"""What is said of a gradient: right, a known mistake or two, a factor times right, or unknown."""

from typing import NamedTuple

from bptt_core.gradcheck import said_factor
from bptt_core.mistakes.mistake import Mistake

__all__ = ["Diagnosis", "Finding"]


class Finding(NamedTuple):
    """What gives exactly these gradients: one mistake or two, and what was done then.

    `str` says it, and fits after "It looks as if"."""

    mistakes: tuple[Mistake, ...]
    factor: float | None = None  # by which all was multiplied
    clip: float | None = None  # to which every entry was clipped
    where: str = ""  # if the rest is right: "in dW_xh", "at gate o in dW_hh"

    def __str__(self):
        parts = [mistake.explanation for mistake in self.mistakes]
        if self.factor is not None:
            parts.append(f"all was multiplied by {self.factor:.6g}")
        if self.clip is not None:
            parts.append(f"every entry was clipped to ±{self.clip:.6g}")
        return ", and ".join(parts) + (f", but only {self.where}" if self.where else "")


class Diagnosis(NamedTuple):
    """What `diagnose` found. Ask `right`; `str` is a text for the reader.

    kind      "right", "known" (a mistake or two), "factor" (every array a number times right), or
              "unknown"
    errors    {array: largest error over the largest entry of the right gradient}
    factors   {array: number}, of the arrays that are a number times right; 1.0 if they are right
    findings  of what is known: all that give exactly these gradients; several, if the inputs
              cannot tell them apart
    because   what about the inputs is to blame for that: "T = B = 3", "h_0 = 0", …
    partly    of what is unknown: [(mistake, arrays that it alone would explain), …]
    gates     of what is unknown: {array: letters of the gates whose rows are wrong}, if some are
              right
    unseen    mistakes that change nothing with these inputs, so that nobody could notice them
    sizes     {"T": …, "B": …}, to say what a factor is
    """

    kind: str
    errors: dict
    factors: dict
    findings: tuple[Finding, ...] = ()
    because: tuple[str, ...] = ()
    partly: tuple = ()
    gates: dict = {}
    unseen: tuple[Mistake, ...] = ()
    sizes: dict = {}

    @property
    def right(self):
        """Whether every array that was given is right."""
        return self.kind == "right"

    def __str__(self):
        if self.kind == "right":
            return "The gradient is right."
        if self.kind == "known":
            return self._known()
        if self.kind == "factor":
            return f"{self._arrays()}."
        text = [f"It is wrong in a way that is not known here: {self._arrays()}."]
        for mistake, names in self.partly[:1]:
            verb = "looks" if len(names) == 1 else "look"
            text.append(f"{listed(_d(names))} alone {verb} as if {mistake.explanation}.")
        for name, letters in self.gates.items():
            text.append(f"In d{name} only the rows of gate {listed(letters)} are wrong.")
        return " ".join(text)

    def _known(self):
        first, *others = self.findings
        if not others:
            return f"It looks as if {first}."
        why = f", because {listed(self.because)}" if self.because else ""
        more = f" There are {len(others) - 1} more ways to the same numbers." if others[1:] else ""
        return f"It looks as if {first}; or as if {others[0]}. These inputs cannot tell{why}.{more}"

    def _arrays(self):
        """What is so of each array."""
        if (
            len(self.factors) == len(self.errors) > 1
            and len({f"{f:.9g}" for f in self.factors.values()}) == 1
        ):
            return f"Every array is {said_factor(min(self.factors.values()), self.sizes)}"
        parts = []
        if right := [name for name, factor in self.factors.items() if factor == 1]:
            parts.append(f"{listed(_d(right))} {'is' if len(right) == 1 else 'are'} right")
        for name, error in self.errors.items():
            factor = self.factors.get(name)
            if factor is None:
                parts.append(f"d{name} is off by {100 * error:.3g} %")
            elif factor != 1:
                parts.append(f"d{name} is {said_factor(factor, self.sizes)}")
        return "; ".join(parts)


def _d(names):
    return [f"d{name}" for name in names]


def listed(names):
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
