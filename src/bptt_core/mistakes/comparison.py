"""Gradients that were given, held against what many programs give."""

import numpy as np

__all__ = ["Comparison"]


class Comparison:
    """V candidates for the arrays that were given; candidate 0 is the right gradient.

    match  (V, N), whether a block (the rows of one gate) of the candidate is the given one
    touch  (V, N), whether it is another one than in the right gradient
    fits   (V), whether the whole candidate is what was given
    """

    def __init__(self, values, given, blocks, rtol):
        self.values = values  # {name: (V, *shape)}
        self.given = given  # {name: array}
        self.blocks = blocks  # {name: number of blocks}
        self.rtol = rtol
        right = {name: value[0] for name, value in values.items()}
        with np.errstate(all="ignore"):
            self.match = self._near(given)
            self.touch = ~self._near(right)
        self.fits = self.match.all(axis=1)
        self.flat = np.hstack([v.reshape(len(v), -1) for v in values.values()])
        self.got = np.concatenate([given[name].ravel() for name in values])
        sizes = [np.full(given[name].size, np.abs(given[name]).max()) for name in values]
        self.tolerance = rtol * np.concatenate(sizes)

    def _near(self, targets):
        """(V, N): whether each block is near that of the target."""
        near = []
        for name, value in self.values.items():
            error = np.abs(value - targets[name]).reshape(len(value), self.blocks[name], -1)
            scale = np.abs(value).reshape(len(value), -1).max(axis=1, keepdims=True)
            near.append(error.max(axis=2) <= self.rtol * scale)
        return np.hstack(near)

    def empty(self):
        """(V, N) and (N): the blocks of nothing but zeros in the candidates and in the given."""
        blocks = [
            [
                ~a.reshape(-1, self.blocks[name], a[0].size // self.blocks[name]).any(axis=2)
                for a in (value, self.given[name][None])
            ]
            for name, value in self.values.items()
        ]
        candidates, given = zip(*blocks, strict=True)
        return np.hstack(candidates), np.hstack(given)[0]

    def by_array(self, table):
        """{name: columns} of `match` or `touch`."""
        stops = np.cumsum([self.blocks[name] for name in self.values])
        return dict(zip(self.values, np.split(table, stops[:-1], axis=1), strict=True))

    def errors(self):
        """{name: largest error over the largest entry of the right gradient}"""
        found = {}
        for name, got in self.given.items():
            right = self.values[name][0]
            found[name] = float(np.abs(got - right).max() / (np.abs(right).max() or 1))
        return found

    def factors(self):
        """{name: number}, of the arrays that are a number times right; 1.0 if they are right."""
        found = {}
        for name, near in self.by_array(self.match[:1]).items():
            got = self.given[name]
            right = self.values[name][0]
            ratio = float((got * right).sum() / ((right * right).sum() or 1))
            if near.all():
                found[name] = 1.0
            elif (
                got.any()
                and got.size > 1
                and np.abs(ratio * right - got).max() <= self.rtol * np.abs(got).max()
            ):
                found[name] = ratio
        return found

    def multiples(self):
        """[(candidate, number)] of those that are the given gradients but for one number."""
        with np.errstate(all="ignore"):
            ratio = self.flat @ self.got / (self.flat**2).sum(axis=1)
            near = np.abs(ratio[:, None] * self.flat - self.got) <= self.tolerance
        rows = np.flatnonzero(near.all(axis=1) & (ratio != 0))
        return [(int(row), float(ratio[row])) for row in rows]

    def clipped(self):
        """[(candidate, number)] of those that are the given ones if clipped to ± this number."""
        most = np.abs(self.got).max()
        within = np.abs(self.flat) < most
        near = np.abs(np.clip(self.flat, -most, most) - self.got) <= self.tolerance
        some = (
            (within.sum(axis=1) > 1)
            & ~within.all(axis=1)
            & (np.abs(self.flat).max(axis=1) > most * (1 + 1e-6))
        )
        return [(int(row), float(most)) for row in np.flatnonzero(near.all(axis=1) & some)]
