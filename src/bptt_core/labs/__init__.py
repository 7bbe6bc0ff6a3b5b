"""The movable figures of the course, one module each, with one claim each.

two_lanes           what of the last answer's gradient gets back to the first letter
eigenvalues_linear  eigenvalues decide where a gradient ends, not how it starts
eigenvalues_tanh    saturation makes gradients vanish, whatever the eigenvalues of W_hh
forget_gate         the forget gate sets how long an LSTM remembers
paths               the paths of an LSTM's gradient add up, and they cancel
clipping            clipping keeps one steep step from throwing everything away
truncation          truncation turns the gradient, it does not only shorten it

Each makes an `Explorer`. `LABS` holds them all by name: tests, documentation and the book iterate
it.
"""

from bptt_core.labs.cliff import clipping
from bptt_core.labs.families import paths
from bptt_core.labs.forgetting import forget_gate
from bptt_core.labs.lanes import two_lanes
from bptt_core.labs.linear import eigenvalues_linear
from bptt_core.labs.saturation import eigenvalues_tanh
from bptt_core.labs.windows import truncation

LABS = {
    make.__name__: make
    for make in (
        two_lanes,
        eigenvalues_linear,
        eigenvalues_tanh,
        forget_gate,
        paths,
        clipping,
        truncation,
    )
}
__all__ = [
    "LABS",
    "clipping",
    "eigenvalues_linear",
    "eigenvalues_tanh",
    "forget_gate",
    "paths",
    "truncation",
    "two_lanes",
]
