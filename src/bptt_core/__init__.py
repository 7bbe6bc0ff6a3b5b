"""The numeric core of *Gradients Through Time*: RNNs, LSTMs and their gradients, forward and backward, in NumPy.

rnn, lstm        forward and backward passes, six names each
readout          linear layer, softmax cross-entropy, squared error
jacobians        step Jacobians, their products over lags, the terms of the sources
gradient_flow    curves over lags, clipping, truncation, Lyapunov exponents
gradcheck        is a gradient right?
derivations      the same gradients by SymPy (imported on its own)
labs             the movable figures (imported on its own)
studies          what takes longer than a chapter may, and its stored result (imported on its own)
"""

from bptt_core import lstm, readout, rnn
from bptt_core._arrays import ExplodedWarning

__all__ = ["ExplodedWarning", "lstm", "readout", "rnn"]
