"""The dependency graph of an LSTM as an instrument: follow a path, and see what all of them add up
to.

paths   the figure: an element of the page that works without a kernel, and in a notebook the same
roads   the cell, its paths from the loss back to c_1, and what each carries
graph   the drawing of the graph
"""

from bptt_core.follow.element import paths

__all__ = ["paths"]
