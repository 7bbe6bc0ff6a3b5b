"""The figures of an `Explorer`: which artists move or change, and where a position lies in the
SVG."""

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex
from matplotlib.patches import Polygon
from matplotlib.text import Annotation, Text

from bptt_core import plotting
from bptt_core._checks import wanted
from bptt_core._svg import variable
from bptt_core.explorer import axes, places
from bptt_core.explorer.frame import parts_of, rows_of

UNITS = 16  # coordinates are int16, in 1/16 of a point
GAP = -32768  # a coordinate that is not drawn
EDGE = 32000  # the farthest a coordinate goes
SHADES = 200  # levels from nothing to a full colour
# every other artist that moves is a line
KINDS = {"label": Text, "area": Polygon, "boxes": PatchCollection}
ANCHORS = {"left": "start", "center": "middle", "right": "end"}
BASELINES = {"top": 0.75, "center": 0.34, "center_baseline": 0.34, "bottom": -0.22, "baseline": 0}


class Picture:
    """Matplotlib figures whose artists with a gid can be put somewhere else, written anew and
    shaded."""

    def __init__(self, figures):
        self.figures = figures
        self.moving = {}  # gid of an axis that differs per setting: its `axes.MovingAxis`
        self._find()

    def _find(self):
        drawn = [fig.findobj(lambda artist: artist.get_gid() is not None) for fig in self.figures]
        self.artists = {a.get_gid(): (panel, a) for panel, found in enumerate(drawn) for a in found}

    def place(self, frame):
        """Put artists where the one setting of `frame` has them, and freeze the layout."""
        with plotting.style():
            self._add_moving_axes(frame.limits)
            asked = {*frame.positions, *frame.shades, *frame.texts}
            if missing := sorted(asked - set(self.artists)):
                raise wanted("function", f"places for {missing}", f"some of {sorted(self.artists)}")
        frame = self.completed(frame)
        for gid, xy in self._as_drawn(frame, 1).items():
            _put(self.artists[gid][1], *(values[0] for values in xy))
        for gid, said in frame.texts.items():
            self.artists[gid][1].set_text(said[0] or " ")  # an empty text would not be in the SVG
        for gid, shade in frame.shades.items():
            # what is not there at all would have no colour in the SVG, not even a faint one
            levels = np.maximum(np.abs(parts_of(shade, 1)[0]), 0.5 / SHADES)
            artist = self.artists[gid][1]
            artist.set_alpha(levels if isinstance(artist, PatchCollection) else levels[0])
        for fig in self.figures:
            plotting.freeze(fig)

    def _add_moving_axes(self, limits):
        for key in limits:
            gid, _, which = key.rpartition(".")
            if gid not in self.artists or which not in ("x", "y"):
                raise wanted("function", f"limits of {key!r}", "axes with a gid, then .x or .y")
            self.moving[key] = axes.MovingAxis(self.artists[gid][1], which, key)
        self._find()

    def completed(self, frame):
        """`frame` with the names of its curves and the numbers of its moving axes."""
        n = len(frame.sentences)
        positions, texts = dict(frame.positions), dict(frame.texts)
        for ax, gids in self._named(positions).items():
            limits = self._limits(ax, frame.limits)
            curves = [
                [
                    axes.shares(axis, rows_of(values, n), end).clip(-1e3, 1e3)
                    for axis, end, values in zip(_axes_of(ax), limits, positions[gid], strict=True)
                ]
                for gid in gids
            ]
            for gid, *share in zip(gids, *places.beside(curves), strict=True):
                positions[f"{gid}.name"] = tuple(
                    axes.values_at(axis, part[:, None], end)
                    for axis, end, part in zip(_axes_of(ax), limits, share, strict=True)
                )
        for key, ends in frame.limits.items():
            where, said = self.moving[key].at(*ends)
            positions |= where
            texts |= said
        return frame._replace(positions=positions, texts=texts)

    def _named(self, positions):
        """{axes: gids of its curves whose names have no place yet}."""
        found = {}
        for gid in positions:
            if f"{gid}.name" in self.artists and f"{gid}.name" not in positions:
                found.setdefault(self.artists[gid][1].axes, []).append(gid)
        return found

    def _limits(self, ax, limits):
        """(low, high) of both axes, or None for one that never moves."""
        return [limits.get(f"{ax.get_gid()}.{which}") for which in "xy"]

    def _as_drawn(self, frame, n):
        """{gid: (x, y)}, each (n, points), on the axes as they are drawn."""
        found = {}
        for gid, xy in frame.positions.items():
            ax = self.artists[gid][1].axes
            found[gid] = [
                rows_of(values, n)
                if end is None
                else axes.values_at(axis, axes.shares(axis, rows_of(values, n), end))
                for axis, end, values in zip(
                    _axes_of(ax), self._limits(ax, frame.limits), xy, strict=True
                )
            ]
        return found

    def layers(self, frame):
        """What the page needs of a completed frame: {gid: {"x", "y", "shade": int16 (n, ·), "word":
        n strings}}."""
        n = len(frame.sentences)
        found = {gid: self._coordinates(gid, *xy) for gid, xy in self._as_drawn(frame, n).items()}
        for gid, shade in frame.shades.items():
            levels = np.rint(parts_of(shade, n).clip(-1, 1) * SHADES).astype(np.int16)
            found.setdefault(gid, {})["shade"] = levels
        for gid, said in frame.texts.items():
            found.setdefault(gid, {})["word"] = list(said)
        return found

    def _coordinates(self, gid, x, y):
        panel, artist = self.artists[gid]
        fig = self.figures[panel]
        points = self._in_points(artist, fig, np.stack(np.broadcast_arrays(x, y), -1))
        if isinstance(artist, Text):
            points = np.rint(points / 2) * 2  # a name may sit a little off: it packs better
        whole = np.clip(np.rint(points * UNITS), -EDGE, EDGE)
        whole[..., 1] = np.where(_far_out(points, fig), GAP, whole[..., 1])
        whole = np.where(np.isnan(whole), GAP, whole).astype(np.int16)
        return {"x": whole[..., 0], "y": whole[..., 1]}

    @staticmethod
    def _in_points(artist, fig, xy):
        """Positions (…, 2) in data, in points from the upper left corner of the figure."""
        transform = artist.axes.transData if isinstance(artist, Text) else artist.get_transform()
        points = transform.transform(xy.reshape(-1, 2)).reshape(xy.shape) * 72 / fig.dpi
        points[..., 1] = fig.get_figheight() * 72 - points[..., 1]
        return points

    def describe(self, gid, *, written):
        """What the script must know of an artist; `written` if its words change."""
        panel, artist = self.artists[gid]
        kind = next((kind for kind, type_ in KINDS.items() if isinstance(artist, type_)), "line")
        marker = artist.get_marker() if kind == "line" else "None"
        if marker not in ("o", "None"):
            raise wanted("figures", f"marker {marker!r} of {gid}", "'o' for markers that move")
        radius = artist.get_markersize() / 2 if marker == "o" else 0
        known = {"gid": gid, "panel": panel, "kind": kind, "radius": radius}
        return known | {"at": self._at(artist), "set": _set(artist) if written else None}

    def _at(self, artist):
        """Where a text stands that never moves, as int16 coordinates; None for other artists."""
        if not isinstance(artist, Text):
            return None
        where = artist.xy if isinstance(artist, Annotation) else artist.get_position()
        points = self._in_points(artist, artist.get_figure(), np.asarray(where, float))
        return np.rint(points * UNITS).astype(int).tolist()

    def heights(self, gid, frame, at):
        """The values of a curve at `at` (n, rows), straight between its points as drawn; NaN
        outside its axes."""
        n, ax = len(at), self.artists[gid][1].axes
        limits = self._limits(ax, frame.limits)
        x, y = (rows_of(values, n) for values in frame.positions[gid])
        along, up = ax.xaxis.get_transform(), ax.yaxis.get_transform()
        rows = zip(
            *map(along.transform_non_affine, (at, x)), up.transform_non_affine(y), strict=True
        )
        height = np.stack([np.interp(a, u, v, left=np.nan, right=np.nan) for a, u, v in rows])
        ends = limits[1] or ax.get_ylim()
        low, high = (
            up.transform_non_affine(np.reshape(end, (-1, 1)).astype(float)) for end in ends
        )
        slack = 1e-6 * (high - low)
        value = up.inverted().transform_non_affine(height)
        if ax.get_yscale() == "linear":
            value = np.where(np.abs(value) < slack, 0, value)  # what rounding left of zero
        inside = (height > low - slack) & (height < high + slack)
        return np.where((value == 0) | inside, value, np.nan)

    def svgs(self, alts, uid, parts):
        """(SVG, width in inches) of every figure; ids start with `uid` and the number of the
        figure.

        parts  {gid: key}: artists that have the class part-key, as a text that speaks of them"""
        if unknown := parts.keys() - self.artists.keys():
            raise wanted("parts", sorted(unknown), "gids of the figures")
        found = []
        for i, (fig, alt) in enumerate(zip(self.figures, alts, strict=True)):
            text = plotting.svg(fig, alt, uid=f"{uid}-{i}")
            for gid, key in parts.items():
                start = f'<g id="{uid}-{i}-{gid}"'
                text = text.replace(start, f'{start} class="part-{key}"')
            found.append((text, fig.get_figwidth()))
        return found


def _set(text):
    """How a text that changes is set: the script's letters stand where Matplotlib's would."""
    size = text.get_fontsize()
    offset = np.array([0, BASELINES[text.get_va()] * size])
    if isinstance(text, Annotation):  # it stands so many points beside its place
        offset += np.array(text.get_position()) * (1, -1)
    return {
        "offset": offset.round(1).tolist(),
        "size": size,
        "anchor": ANCHORS[text.get_ha()],
        "fill": variable(to_hex(text.get_color())),
        "halo": text.get_bbox_patch() is not None,
    }


def _axes_of(ax):
    return ax.xaxis, ax.yaxis


def _put(artist, x, y):
    """Put an artist at x, y, each (points,), in data coordinates."""
    if isinstance(artist, Text) and not np.isfinite(x[0] + y[0]):
        return  # where it was: Matplotlib leaves out a text without a place
    if isinstance(artist, Annotation):
        artist.xy = x[0], y[0]
    elif isinstance(artist, Text):
        artist.set_position((x[0], y[0]))
    elif isinstance(artist, Polygon):
        artist.set_xy(np.stack(np.broadcast_arrays(x, y), -1)[np.isfinite(x + y)])
    else:
        artist.set_data(x, y)


def _far_out(points, fig):
    """Points above or below the picture whose neighbours are too: no line that is seen needs
    them."""
    y, height = points[..., 1], fig.get_figheight() * 72
    out = np.where(y < 0, -1, np.where(y > height, 1, 0))
    sides = [(0, 0)] * (out.ndim - 1)
    before, after = (np.pad(out, [*sides, pad], mode="edge") for pad in ((1, 0), (0, 1)))
    return (out != 0) & (before[..., :-1] == out) & (after[..., 1:] == out)
