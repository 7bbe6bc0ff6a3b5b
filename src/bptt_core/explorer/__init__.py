"""A figure with sliders that lives in the page: live with a kernel, and just as movable without one.

widget   `Explorer`, and its controls `Slider` and `Choice`
picture  which artists of a Matplotlib figure move, and where
places   where names, straight lines and bars go
table    the format of the numbers that a page carries
markup   the HTML around the figure
"""

from bptt_core.explorer.widget import Choice, Explorer, Slider

__all__ = ["Choice", "Explorer", "Slider"]
