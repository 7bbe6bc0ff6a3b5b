"""The numeric core of *Gradients Through Time*: recurrent cells and their gradients, in NumPy.

rnn, lstm, gru   forward and backward passes; the same names in each, which `cells` explains
readout          linear layer, softmax cross-entropy, squared error
jacobians        step Jacobians, their products over lags, the terms of the sources
gradient_flow    curves over lags, clipping, truncation, Lyapunov exponents
gradcheck        is a gradient right?
explicit         both passes as the equations read
mistakes         what is wrong with a gradient, and the mistake that was made
derivations      the same gradients by SymPy (imported on its own)
labs             the movable figures (imported on its own)
studies          what takes longer than a chapter may, and its stored result (imported on its own)
"""

from bptt_core import gru, lstm, readout, rnn
from bptt_core._arrays import ExplodedWarning

__all__ = ["ExplodedWarning", "gru", "lstm", "readout", "rnn"]
