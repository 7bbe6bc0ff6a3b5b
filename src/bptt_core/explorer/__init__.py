"""A figure with sliders that lives in the page: live with a kernel, and just as movable without
one.

widget    `Explorer`
controls  `Slider` and `Choice`
frame     `Frame`, what the function behind a figure returns; `State`, what a figure shows
model     the function and the picture: asked at one setting, or over the grid
picture   which artists of a Matplotlib figure move, and where
axes      axes that are longer at some settings than at others
places    where names and bars go
page      the model over the grid, as the page carries it
table     the wire format between Python and the page, declared, and how its numbers are packed
markup    the HTML around the figure
script    the script and the style sheet, from js/ and explorer.css
"""

from bptt_core.explorer.controls import Choice, Slider
from bptt_core.explorer.frame import Frame, State
from bptt_core.explorer.widget import Explorer

__all__ = ["Choice", "Explorer", "Frame", "Slider", "State"]
