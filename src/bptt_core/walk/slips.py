"""A mistake switched on: what is written otherwise, where the numbers first differ, and what
training with it does."""

from typing import NamedTuple

import numpy as np

from bptt_core.mistakes import known_mistakes
from bptt_core.walk.scene import steps_of
from bptt_core.walk.trace import trace

SAME = 1e-12  # of what is equal to rounding


class Slip(NamedTuple):
    """A walk with one mistake."""

    mistake: object  # of `mistakes`
    texts: dict  # {line: as it is written now}
    steps: list
    numbers: dict  # {place: value}
    first: int | None  # number of the first step with another number, if any
    angle: float  # in degrees, between its gradient and the right one
    losses: np.ndarray  # of training with it


def right(scene):
    """The walk as it should be: ([Step], `trace.Numbers`, gradient as one vector)."""
    done, numbers, gradient = trace(scene.module, scene.params, scene.x, scene.target)
    return steps_of(scene, done), numbers, _flat(gradient)


def slips(scene, steps, numbers, gradient):
    """[Slip] of the scene's mistakes."""
    known = {mistake.name: mistake for mistake in known_mistakes(scene.module)}
    return [_slip(scene, known[name], steps, numbers, gradient) for name in scene.mistakes]


def _slip(scene, mistake, steps, numbers, gradient):
    texts = {name: wrong for name, (_, wrong) in mistake.lines(scene.module).items()}
    given = scene.module, scene.params, scene.x, scene.target
    done, found, wrong = trace(*given, texts, numbers.ids)
    own = steps_of(scene, done)
    first = next((k for k, pair in enumerate(zip(steps, own, strict=True)) if differ(*pair)), None)
    flat = _flat(wrong)
    cosine = flat @ gradient / np.linalg.norm(flat) / np.linalg.norm(gradient)
    angle = float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    losses = train(scene, mistake.passes(scene.module))
    return Slip(mistake, texts, own, found.values, first, angle if angle > 1e-3 else 0.0, losses)


def differ(step, other):
    """Whether the results of two steps do."""
    pairs = zip(step.made, other.made, strict=True)
    return any(np.abs(a.value - b.value).max() > SAME for a, b in pairs)


def train(scene, passes=None):
    """The loss before each update of gradient descent from the scene's numbers, and at the end."""
    forward, backward = passes or (scene.module.forward, scene.module.backward)
    params, losses = scene.params, []
    for _ in range(scene.updates + 1):
        cache = forward(params, scene.x)
        pull = cache.h[1:] - scene.target
        losses.append(0.5 * np.sum(pull**2))
        gradient = backward(params, cache, pull)
        steps = (w - scene.rate * d for w, d in zip(params, gradient, strict=True))
        params = type(params)(*steps)
    return np.array(losses)


def _flat(gradient):
    return np.concatenate([np.ravel(part) for part in gradient.values()])
