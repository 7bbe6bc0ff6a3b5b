"""What the lab of path families says, in every state of it."""

import re

import numpy as np
from figures import artist_of
from lab_claims import NUMBER, PERCENT, claims, made, near, number, parse, states
from matplotlib.colors import to_rgb

from bptt_core import lstm
from bptt_core.follow import roads
from bptt_core.labs.families import AGAINST, LAGS

PARTS = ("cell", "gates", "output", "mixed")


def shares(state):
    """{family: its share at every lag}, read off the bars as they are drawn."""
    found = {}
    for gid in PARTS:
        edge, base = np.split(state.drawn[f"share-{gid}"][1], 2)
        assert (edge[::2] == edge[1::2]).all() and len(edge) == 2 * (LAGS + 1)
        found[gid] = edge[::2] - base[::-1][::2]
    return found


def network(settings):
    """(parameters, inputs, gradient at the end) of a state, made again."""
    rng = np.random.default_rng(10 + int(settings["sequence"]))
    x, cell = rng.standard_normal((LAGS, 1, 3)), lstm.init_params(3, 5, rng)
    b_h = np.repeat([0, settings["forget_bias"], 0, 0], 5)
    params = lstm.Params(cell.W_xh, settings["scale"] * cell.W_hh, b_h)
    return params, x, rng.standard_normal((1, 5))


@claims(
    "paths",
    "The paths of an LSTM's gradient add up, and they can cancel",
    "On the left, in the colours of the right, the line at 1 is the whole gradient.",
)
def add_up(states):
    cancel = 0
    for state in states:
        np.testing.assert_allclose(sum(shares(state).values()), 1, rtol=1e-7)
        assert state.drawn["whole"][1].tolist() == [1, 1]
        cancel += "Paths cancel:" in state.sentence
    assert 10 < cancel < len(states)
    for gid in PARTS:
        area, line = (artist_of(made("paths"), name)[1] for name in (f"share-{gid}", gid))
        assert to_rgb(area.get_facecolor()) == to_rgb(line.get_color())


@claims(
    "paths",
    "The path through the cell alone is the famous one. Does it carry most of the gradient "
    "16 steps back?",
)
def the_question_has_both_answers(states):
    most = [shares(state)["cell"][LAGS] > 0.5 for state in states]
    assert LAGS == 16 and 10 < sum(most) < len(states) - 10


@claims("paths", "Parts above zero help it, parts below work against it.")
def above_helps(states):
    """Above zero is what points along the exact gradient."""
    for state in states[::7]:
        params, x, dh = network(state.settings)
        whole = lstm.backward(params, lstm.forward(params, x), dh={LAGS: dh}).c[::-1, 0]
        direct = dh * 0
        cache = lstm.forward(params, x)
        direct = dh * lstm.output_derivative(cache)[-1]
        # the path through the cell alone is the product of the forget gates
        alone = direct * np.concatenate([np.ones((1, 5)), np.cumprod(cache.f[::-1, 0], 0)])
        along = (alone * whole).sum(-1) / (whole**2).sum(-1)
        np.testing.assert_allclose(shares(state)["cell"], along, rtol=1e-6, atol=1e-9)


@claims("paths", "Where the stack rises above the line, paths cancel.")
def above_the_line(states):
    for state in states:
        found = np.stack(list(shares(state).values()))
        top = np.where(found > 0, found, 0).sum(0)
        against = np.where(found < 0, -found, 0).sum(0)
        np.testing.assert_allclose(top - 1, against, rtol=1e-6, atol=1e-7)


@claims(
    "paths",
    "On the right are sizes: they do not add up, for the parts point in different directions.",
)
def sizes_do_not_add_up(states):
    for state in states:
        sizes = np.nansum([state.drawn[gid][1] for gid in PARTS], 0)
        total = state.drawn["total"][1]
        assert (sizes >= total * (1 - 1e-9)).all()
        assert (sizes[1:] > total[1:] * (1 + 1e-9)).any()
        assert state.drawn["total"][1][0] == 1


@claims("paths", "The cell is the usual one, with tanh.")
def the_usual_cell(states):
    for state in states[::5]:
        params, x, dh = network(state.settings)
        cache = lstm.forward(params, x)
        assert cache.squash.name == "tanh"
        exact = np.linalg.norm(lstm.backward(params, cache, dh={LAGS: dh}).c[::-1, 0], axis=-1)
        np.testing.assert_allclose(state.drawn["total"][1], exact / exact[0], rtol=1e-8)


READS = (
    rf"At lag 16 the gradient is (?P<left>{NUMBER}) times its first size\. "
    rf"The share of the path through the cell alone is (?P<cell>{PERCENT})"
    r"(?P<works>: it works against the rest)?\. "
    r"(?:(?P<hardly>Paths hardly cancel, at any lag\.)|Paths cancel(?P<part> in part)?: "
    r"at lag (?P<lag>\d+) the shares above zero add up to (?P<up>[\d.]+), "
    r"those below to −(?P<down>[\d.]+)\.)"
)


@claims("paths", "readout")
def readout(states):
    for state in states:
        said = parse(READS, state.sentence)
        found = shares(state)
        assert near(said["left"], state.drawn["total"][1][-1])
        cell = 100 * found["cell"][-1]
        if "less" in said["cell"]:
            assert abs(cell) < 0.05
        else:
            assert abs(number(said["cell"]) - cell) <= (0.051 if abs(cell) < 9.95 else 0.51)
        assert bool(said["works"]) == (found["cell"][-1] <= -AGAINST)
        helping = np.where(np.stack(list(found.values())) > 0, list(found.values()), 0).sum(0)
        against = helping.max() - 1
        if said["hardly"]:
            assert against < AGAINST + 0.005
            continue
        assert round(number(said["up"]) - number(said["down"]), 9) == 1  # the digits that are shown
        assert abs(number(said["up"]) - helping.max()) <= 0.0051
        assert int(said["lag"]) == helping.argmax()
        assert against > AGAINST - 0.006 and bool(said["part"]) == (number(said["down"]) < 0.5)


def test_there_are_states_where_the_path_through_the_cell_is_nearly_everything():
    for state in states("paths"):
        if state.settings["scale"] == 0.05 and state.settings["forget_bias"] == 3:
            assert 0.93 < shares(state)["cell"][-1] < 1.07


def test_a_family_of_the_lab_lights_up_with_the_text_and_has_the_text_s_keys():
    """Line and stack, as in the figure of paths, whose families these are."""
    keys = [name.replace(" ", "-") for name in roads.FAMILIES]
    html = made("paths").html
    for gid, key in zip(PARTS, keys, strict=True):
        assert len(re.findall(rf'class="part-{key}"', html)) >= 2, gid
