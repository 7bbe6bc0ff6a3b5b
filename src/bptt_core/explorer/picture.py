"""The figures of an `explorer.Explorer`: which artists move, and where a position in data lies in the SVG."""

import numpy as np
from matplotlib.patches import Polygon
from matplotlib.text import Annotation, Text

from bptt_core import plotting

UNITS, GAP, EDGE = (
    16,
    -32768,
    32000,
)  # int16 coordinates: 1/16 point, "not drawn", and the farthest they go
KINDS = {"label": Text, "area": Polygon}  # every other artist that moves is a line


class Picture:
    """Matplotlib figures whose artists with a gid can be put somewhere else."""

    def __init__(self, figures):
        self.figures = figures
        drawn = [fig.findobj(lambda artist: artist.get_gid() is not None) for fig in figures]
        self.artists = {
            a.get_gid(): (panel, a) for panel, artists in enumerate(drawn) for a in artists
        }

    def place(self, positions):
        """Put artists where the first setting of `positions` has them, and freeze the layout."""
        if missing := sorted(set(positions) - set(self.artists)):
            raise ValueError(
                f"function: moves {missing}, but the figures have only {sorted(self.artists)}"
            )
        for gid, xy in positions.items():
            x, y = (np.atleast_2d(values)[0] for values in xy)
            artist = self.artists[gid][1]
            if isinstance(artist, Annotation):
                artist.xy = x[0], y[0]
            elif isinstance(artist, Text):
                artist.set_position((x[0], y[0]))
            elif isinstance(artist, Polygon):
                artist.set_xy(np.stack(np.broadcast_arrays(x, y), -1)[np.isfinite(x + y)])
            else:
                artist.set_data(x, y)
        for fig in self.figures:
            plotting.freeze(fig)

    def coordinates(self, gid, n, x, y):
        """Positions of one artist at n settings, (n, points) or (points,), as int16 coordinates, each (n, points)."""
        panel, artist = self.artists[gid]
        fig = self.figures[panel]
        transform = artist.axes.transData if isinstance(artist, Text) else artist.get_transform()
        xy = np.stack(np.broadcast_arrays(np.atleast_2d(x), np.atleast_2d(y)), -1).astype(float)
        points = transform.transform(xy.reshape(-1, 2)).reshape(xy.shape) * 72 / fig.dpi
        points[..., 1] = fig.get_figheight() * 72 - points[..., 1]
        if isinstance(artist, Text):
            points = np.rint(points / 2) * 2  # a name may sit a little off: it packs better
        whole = np.clip(np.rint(points * UNITS), -EDGE, EDGE)
        whole[..., 1] = np.where(_far_out(points, fig), GAP, whole[..., 1])
        whole = np.where(np.isnan(whole), GAP, whole).astype(np.int16)
        return tuple(np.broadcast_to(whole, (n, *whole.shape[1:]))[..., axis] for axis in (0, 1))

    def describe(self, gid):
        """What the script must know of an artist: its panel, its kind, the radius of its markers or 0."""
        panel, artist = self.artists[gid]
        kind = next((kind for kind, type_ in KINDS.items() if isinstance(artist, type_)), "line")
        marker = artist.get_marker() if kind == "line" else "None"
        if marker not in ("o", "None"):
            raise ValueError(
                f"figures: got marker {marker!r} of {gid}, wanted 'o' for markers that move"
            )
        radius = artist.get_markersize() / 2 if marker == "o" else 0
        return {"gid": gid, "panel": panel, "kind": kind, "radius": radius}

    def heights(self, gid, x, y, at):
        """The values of a curve at `at` (n, rows), straight between its points as drawn; NaN outside its axes."""
        ax = self.artists[gid][1].axes
        along, up = (axis.get_transform().transform_non_affine for axis in (ax.xaxis, ax.yaxis))
        x, y = (np.broadcast_to(v, (len(at), np.shape(v)[-1])).astype(float) for v in (x, y))
        rows = zip(along(at), along(x), up(y), strict=True)
        height = np.stack([np.interp(at, x, y, left=np.nan, right=np.nan) for at, x, y in rows])
        low, high = up(np.array(ax.get_ylim()))
        slack, value = (
            1e-6 * (high - low),
            ax.yaxis.get_transform().inverted().transform_non_affine(height),
        )
        if ax.get_yscale() == "linear":
            value = np.where(np.abs(value) < slack, 0, value)  # what rounding left of zero
        return np.where(
            (value == 0) | (height > low - slack) & (height < high + slack), value, np.nan
        )

    def svgs(self, alts, uid):
        """(SVG, width in inches) of every figure; ids start with `uid` and the number of the figure."""
        return [
            (plotting.svg(fig, alt, uid=f"{uid}-{i}"), fig.get_figwidth())
            for i, (fig, alt) in enumerate(zip(self.figures, alts, strict=True))
        ]


def _far_out(points, fig):
    """Points above or below the picture whose neighbours are too: no line that is seen needs them."""
    y, height = points[..., 1], fig.get_figheight() * 72
    out = np.where(y < 0, -1, np.where(y > height, 1, 0))
    before, after = (
        np.pad(out, [(0, 0)] * (out.ndim - 1) + [pad], mode="edge") for pad in ((1, 0), (0, 1))
    )
    return (out != 0) & (before[..., :-1] == out) & (after[..., 1:] == out)
