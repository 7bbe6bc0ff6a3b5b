"""The movable figures of the course, one module each, with one claim each.

two_lanes           what of the last answer's gradient gets back to the first letter
eigenvalues_linear  eigenvalues decide where a gradient ends, not how it starts
eigenvalues_tanh    eigenvalues above one are not enough: it depends on what tanh passes
forget_gate         the forget gate sets how far the gradient of an LSTM reaches
balanced_cell       four terms that add up to 1 do not settle the gradient: w_o does
paths               the paths of an LSTM's gradient add up, and they can cancel
clipping            clipping bounds every step; without it, one step at a cliff can go far
truncation          truncation turns the gradient; how far depends on window, memory and length
training_film       an LSTM's loss stands still until an eigenvalue reaches the unit circle

Each makes an `Explorer`. `LABS` holds them all by name: tests, documentation and the book iterate
it.
"""

from bptt_core.labs.balance import balanced_cell
from bptt_core.labs.cliff import clipping
from bptt_core.labs.families import paths
from bptt_core.labs.film import training_film
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
        balanced_cell,
        training_film,
    )
}
__all__ = [
    "LABS",
    "balanced_cell",
    "clipping",
    "eigenvalues_linear",
    "eigenvalues_tanh",
    "forget_gate",
    "paths",
    "training_film",
    "truncation",
    "two_lanes",
]
