"""A figure with sliders that lives in the page: live with a kernel, and just as movable without
one.

Matplotlib draws the figure once, as SVG; an artist that moves carries a `gid`. A function of the
settings says where each of them goes. It is evaluated over the whole grid of settings when the cell
runs, and the page keeps the resulting path coordinates as a table. With a kernel the same function
is evaluated at the exact setting.
"""

import itertools
import os
import sys
from collections import Counter

import anywidget
import traitlets

from bptt_core import plotting
from bptt_core._checks import wanted
from bptt_core.explorer import markup, page, script
from bptt_core.explorer.model import Model


class Explorer(anywidget.AnyWidget):
    """A movable figure: controls, a picture, a sentence that says what is seen.

    function   (**settings) → Frame. The settings of sliders arrive as arrays (n,), those of choices
               as strings
    figures    Matplotlib figures whose moving artists have gids; side by side, on a phone below one
               another
    controls   {setting: Slider or Choice}
    name       short and unique in the book: it is the figure's address
    title      the claim of the figure
    question   what to predict before touching
    reading    how to read it, in a sentence or two
    alts       a description of each figure
    drag       {gid of markers: names of the one or two sliders they drag}
    click      {gid of markers: names of the one or two sliders that a click or a tap on their
               picture sets, so that a marker comes there}
    play       gids of the curves whose horizontal axis is time: a button lets them grow. Or the
               name of a slider: the button moves it from its first value to its last, and pauses
    columns    (heading of the abscissa, {gid: heading}): the curves of the table of numbers
    below      {gid: colour of the palette that its shades below 0 have}

    Each setting is a trait: `lab.radius = 1.05` moves the figure, `lab.observe(f, "radius")` hears
    the reader move it. The traits that a page or a kernel shares with Python:

    =========  ==========================================================================
    {setting}  a number in the range of its slider, or the name of an option
    _html      the figure as one element, with its table (`markup`)
    _frame     the kernel's last answer, a `table.Reply`: the figure at exactly `settings`
    _esm       the script as a module that exports `render`
    _css       its style sheet
    =========  ==========================================================================

    Raises what `function` raises; ValueError for a table that would be too large, for a gid that is
    not drawn, and for a result that is no `Frame`.

    >>> import numpy as np
    >>> from bptt_core import plotting
    >>> from bptt_core.explorer import Explorer, Frame, Slider
    >>> t = np.linspace(0, 10, 80)
    >>> def damped(damping):
    ...     wave = np.exp(-damping[:, None] * t) * np.cos(3 * t)
    ...     said = [f"*{np.exp(-10 * d):.2g}* is left." for d in damping]
    ...     return Frame({"wave": (t, wave)}, said)
    >>> with plotting.style():
    ...     fig, ax = plotting.figure(5, 2.6)
    ...     _ = ax.set(xlim=(0, 10), ylim=(-1, 1), xlabel="seconds")
    ...     _ = ax.plot([], [], color="gtt:forward", gid="wave")
    >>> lab = Explorer(
    ...     damped,
    ...     [fig],
    ...     {"damping": Slider("Damping", np.linspace(0, 1, 21), 0.2)},
    ...     name="damped",
    ...     title="Damping takes the same share from every second",
    ...     question="What is left after ten?",
    ...     reading="The crests lie on an exponential.",
    ...     alts=["A cosine whose crests shrink."],
    ...     columns=("second", {"wave": "height"}),
    ... )
    >>> lab.at(damping=0.5).sentence
    '*0.0067* is left.'
    >>> lab.damping = 0.35
    >>> lab
    Explorer damped: damping=0.35
    """

    _esm = script.module()
    _css = script.sheet()
    _html = traitlets.Unicode().tag(sync=True)
    _frame = traitlets.Dict().tag(sync=True)
    _made = Counter()

    def __init__(
        self,
        function,
        figures,
        controls,
        *,
        name,
        title,
        question,
        reading,
        alts,
        drag=None,
        click=None,
        play=(),
        columns=None,
        below=None,
        parts=None,
    ):
        self._name = name
        for key in controls:
            if hasattr(type(self), key):
                raise wanted("controls", repr(key), "a name that no widget has of its own")
        self._model = model = Model(function, figures, controls, columns or ("", {}))
        traits = {key: control.trait().tag(sync=True) for key, control in model.controls.items()}
        self.add_traits(**traits)
        Explorer._made[name] += 1
        uid = name if Explorer._made[name] == 1 else f"{name}-{Explorer._made[name]}"
        moves = {"drag": drag or {}, "click": click or {}, "play": play, "below": below or {}}
        spec, longest = page.spec(model, moves, name=name, uid=uid, title=title)
        frame = model.reply(model.start)
        texts = {"title": title, "question": question, "reading": reading, "longest": longest}
        texts["words"] = frame["words"]
        html = markup.html(spec, model.picture.svgs(alts, uid, parts or {}), texts)
        super().__init__(**model.start, _html=html, _frame=frame)
        self.observe(self._update, list(model.controls))

    @property
    def settings(self):
        """The current setting of every control, as a dict."""
        return {key: getattr(self, key) for key in self._model.controls}

    @property
    def controls(self):
        """{setting: Slider or Choice}, choices first."""
        return dict(self._model.controls)

    @property
    def grid(self):
        """{setting: the values that its control stops at}, choices first."""
        return {key: list(values) for key, values in self._model.grid.items()}

    @property
    def columns(self):
        """{gid: heading}: the curves of the table of numbers."""
        return dict(self._model.columns[1])

    @property
    def figures(self):
        """The Matplotlib figures, laid out as the page shows them."""
        return list(self._model.picture.figures)

    @property
    def address(self):
        """The name by which a link finds the figure: #lab={address}."""
        return self._name

    @property
    def html(self):
        """The figure as one element, for a page that loads `script.classic` and `script.sheet`
        itself."""
        return self._html

    def settings_grid(self):
        """Every setting that the page holds, one dict after another."""
        for values in itertools.product(*self._model.grid.values()):
            yield dict(zip(self._model.grid, values, strict=True))

    def at(self, **settings):
        """The `State` of the figure at these settings, the others as they are; no slider moves.

        ValueError: a setting that no control has, or a value out of its range."""
        return self._model.state(self._model.checked(self.settings | settings))

    def reply(self, **settings):
        """The `table.Reply` that a kernel gives to the page: `at`, as the script reads it."""
        return self._model.reply(self._model.checked(self.settings | settings))

    def __repr__(self):
        said = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"Explorer {self._name}: {said}"

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        if "google.colab" in sys.modules:
            return data, metadata  # Colab shows every form it knows: leave it the live widget alone
        # the book loads script and sheet once for all pages
        linked = os.environ.get("BPTT_CORE_STATIC") == "linked"
        scripts = script.aside() + script.classic()
        alone = f"<style>{script.sheet()}</style><script>{scripts}</script>"
        picture = plotting.png(*self.figures)
        return data | {
            "text/html": self._html + ("" if linked else alone),
            "image/png": picture,
        }, metadata

    def _update(self, _):
        settings = self.settings
        if list(settings.values()) == self._frame["at"]:
            return  # a second trait of one change
        try:
            self._frame = self._model.reply(settings)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
            self._frame = {"at": list(settings.values()), "error": said}
            raise
