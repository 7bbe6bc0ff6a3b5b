"""What the lab of the forget gate says, in every state of it."""

import numpy as np
import pytest
from lab_claims import NUMBER, PERCENT, claims, made, near, number, parse, states

from bptt_core import gradient_flow, lstm, rnn
from bptt_core.activations import sigmoid
from bptt_core.labs import forgetting
from bptt_core.studies import random_networks

ROWS = {(row["scale"], row["bias"]): row for row in random_networks.stored()["gates"]}


def row(state):
    return ROWS[state.settings["scale"], state.settings["forget_bias"]]


def curve(state, gid):
    """What is left at every lag of one curve of a state."""
    settings = (np.array([state.settings[key]]) for key in ("forget_bias", "scale"))
    return CURVES.setdefault(
        (state.settings["forget_bias"], state.settings["scale"]), forgetting.curves_of(*settings)
    )[0][gid][:, 0]


CURVES = {}


@claims("forget_gate", "The forget gate sets how far the gradient of an LSTM reaches")
def sets_how_long(_):
    """From a bias of −2 to one of 3 the middle factor rises with every step, at every scale."""
    for scale in random_networks.SCALES:
        middle = [ROWS[scale, bias]["lstm"][1] for bias in random_networks.BIASES if bias <= 3]
        assert (np.diff(middle) > 0).all(), scale


@claims(
    "forget_gate",
    "At forget bias 0 a gate is half open. Does an LSTM then keep a gradient longer than a tanh "
    "RNN? What does a bias of 1 buy, and one of 3?",
)
def the_question_has_an_answer(_):
    assert sigmoid(np.float64(0)) == 0.5
    longer = [ROWS[1, bias]["longer"] for bias in (0, 1, 3)]
    assert 20 < longer[0] < 180 < longer[1] < longer[2]
    asked = {bias: made("forget_gate").at(forget_bias=bias).sentence for bias in (0, 1, 3)}
    assert "it depends on the draw" in asked[0]
    assert "LSTM keeps it longer" in asked[1] and "LSTM keeps it longer" in asked[3]


@claims(
    "forget_gate",
    "On the left, each band holds 80 % of 200 random networks, and the dots are the two networks "
    "on the right.",
)
def bands_and_dots(states):
    assert random_networks.SHARES == (0.1, 0.5, 0.9) and random_networks.NETWORKS == 200
    for state in states:
        for cell, gid, dot in (("lstm", "exact", "here"), ("rnn", "rnn", "here-rnn")):
            x, y = state.drawn[f"{cell}-band"]
            half = len(x) // 2
            at = np.flatnonzero(x[:half] == state.settings["forget_bias"])[0]
            low, _, high = row(state)[cell]
            np.testing.assert_allclose([y[at], y[::-1][at]], [low, min(high, forgetting.NEVER)])
            whole = curve(state, gid)
            lags = np.flatnonzero(whole > 0)
            line = np.polynomial.Polynomial.fit(lags, np.log(whole[lags]), 1).convert()
            np.testing.assert_allclose(state.drawn[dot][1][0], np.exp(line.coef[1]), rtol=1e-6)
            assert state.drawn[dot][0][0] == state.settings["forget_bias"]


@claims(
    "forget_gate",
    "The product of the forget gates is one path of many, and the product of the four one-step "
    "terms is not the gradient either.",
)
def products_are_not_the_gradient(states):
    shown = [s for s in states if s.settings["layers"] == "four"]
    for state in shown:
        exact = state.drawn["exact"][1]
        for gid in ("forget", "four"):
            off = np.abs(np.log(state.drawn[gid][1][2:] / exact[2:]))
            assert off.max() > np.log(1.005), (gid, state.settings)


@claims(
    "forget_gate",
    "A gate too far open lets the cell grow until tanh is flat and hides it from h.",
)
def too_far_open(_):
    for scale in random_networks.SCALES:
        shares = []
        for bias in (1.0, 6.0):
            inputs, params, _ = forgetting.remembered(np.array([bias]), np.array([scale]))
            cache = lstm.forward(params, inputs)
            tail = np.abs(cache.c[-1]).mean(), 1 - np.tanh(np.abs(cache.c[-1]).mean()) ** 2
            shares.append((lstm.output_derivative(cache)[-1].mean(), *tail))
        (seen, cell, _), (hidden, full, flat) = shares
        assert hidden < seen / 10 and full > 3 * cell and flat < 0.02, scale


WHAT = (
    r"(?:{0}vanishing, {1} halves every (?P<{2}half>{3}) steps"
    r"|{0}exploding, {1} doubles every (?P<{2}double>{3}) steps"
    r"|{0}neither vanishing nor exploding, {1} stays between (?P<{2}low>{3}) and (?P<{2}high>{3}) "
    r"over 200 steps)"
)
READS = (
    "This LSTM: "
    + WHAT.format("", "its gradient", "lstm_", NUMBER)
    + r"\. This RNN: "
    + WHAT.format("", "its gradient", "rnn_", NUMBER)
    + r"\. Of 200 random pairs at bias (?P<bias>−?[\d.]+) the LSTM's gradient lives longer in "
    r"(?P<longer>\d+): (?P<who>it depends on the draw|the LSTM keeps it longer|"
    r"the RNN keeps it longer)\."
    rf"(?: 30 steps back (?P<exact>{NUMBER}) of this gradient is left; "
    rf"the product of f says (?P<forget>{NUMBER})(?:, the four terms (?P<four>{NUMBER}))?\.)?"
    rf" A small change of c_T moves h_T by (?P<seen>{PERCENT}) of it\."
)


@claims("forget_gate", "readout")
def readout(states):
    for state in states:
        said = parse(READS, state.sentence)
        for cell, gid in (("lstm", "exact"), ("rnn", "rnn")):
            whole = curve(state, gid)
            change = state.drawn["here" if gid == "exact" else "here-rnn"][1][0] ** 200
            if half := said[f"{cell}_half"]:
                assert change < 0.1 and whole[-1] < min(whole[100], 1) / 3, (
                    state.settings,
                    whole[[100, 200]],
                )
                assert near(half, 200 * np.log(2) / -np.log(change))
            elif double := said[f"{cell}_double"]:
                assert change > 10 and whole[-1] > 3 * max(whole[100], 1), (
                    state.settings,
                    whole[[100, 200]],
                )
                assert near(double, 200 * np.log(2) / np.log(change))
            else:
                assert near(said[f"{cell}_low"], whole.min())
                assert near(said[f"{cell}_high"], whole.max())
        assert number(said["bias"]) == state.settings["forget_bias"]
        longer = row(state)["longer"]
        assert int(said["longer"]) == longer
        share = longer / 200
        assert ("LSTM" in said["who"]) == (share >= 0.9) and ("RNN" in said["who"]) == (
            share <= 0.1
        )
        shown = {"none": [], "forget": ["forget"], "four": ["forget", "four"]}
        for gid in ("forget", "four"):
            assert (said[gid] is not None) == (gid in shown[state.settings["layers"]])
            assert np.isnan(state.drawn[gid][1]).all() == (said[gid] is None)
            if said[gid]:
                assert near(said[gid], curve(state, gid)[30])
                assert near(said["exact"], curve(state, "exact")[30])
        tau = CURVES[state.settings["forget_bias"], state.settings["scale"]][1][0]
        if "less" in said["seen"]:
            assert tau < 0.0005
        else:
            assert abs(number(said["seen"]) / 100 - tau) <= (0.0051 if tau > 0.0995 else 0.00051)


@pytest.mark.parametrize("forget_bias", [-2.0, 1.0, 3.0, 6.0])
def test_the_gradient_is_that_of_backpropagation(forget_bias):
    x, params, _ = forgetting.remembered(np.array([forget_bias]), np.array([2.0]))
    cache = lstm.forward(params, x)
    rows = []
    for unit in range(6):
        back = lstm.backward(params, cache, dc={200: np.eye(6)[unit][None, None]})
        rows.append(back.c[::-1, 0, 0])
    exact = np.linalg.norm(np.stack(rows, 1), 2, axis=(1, 2))
    state = made("forget_gate").at(forget_bias=forget_bias, scale=2.0, layers="forget")
    np.testing.assert_allclose(state.drawn["exact"][1], exact[forgetting.SHOWN], rtol=1e-8)
    only_f = np.concatenate([np.ones((1, 6)), np.cumprod(cache.f[::-1, 0, 0], 0)]).max(-1)
    np.testing.assert_allclose(state.drawn["forget"][1], only_f[forgetting.SHOWN], rtol=1e-10)


@pytest.mark.parametrize(("scale", "bias"), [(1, 0.0), (2, 1.0)])
def test_a_stored_row_of_pairs_comes_out_again(scale, bias):
    cell, plain = random_networks.pairs(scale, bias)
    assert int((cell > plain).sum()) == ROWS[scale, bias]["longer"]
    np.testing.assert_allclose(np.median(cell), ROWS[scale, bias]["lstm"][1], atol=1e-4)


def test_a_pair_of_the_study_is_what_one_network_at_a_time_gives():
    rng = np.random.default_rng(3)
    cell, plain = lstm.init_params(3, 6, rng), rnn.init_params(3, 6, rng)
    x = np.random.default_rng(200).standard_normal((200, 1, 3))
    params = lstm.Params(cell.W_xh, 2 * cell.W_hh, np.repeat([0, 1.0, 0, 0], 6))
    curve = gradient_flow.norm_curve(params, lstm.forward(params, x), norm="fro")[:, 0]
    slope = np.polyfit(np.arange(201), np.log(curve), 1)[0]
    assert random_networks.pairs(2, 1.0)[0][3] == pytest.approx(np.exp(slope), rel=1e-9)
    other = rnn.Params(plain.W_xh, 2 * plain.W_hh)
    curve = gradient_flow.norm_curve(other, rnn.forward(other, x), norm="fro")[:, 0]
    slope = np.polyfit(np.arange(201), np.log(curve), 1)[0]
    assert random_networks.pairs(2, 1.0)[1][3] == pytest.approx(np.exp(slope), rel=1e-9)


def test_a_half_life_does_not_depend_on_what_is_shown():
    said = {
        layers: [
            s.sentence.split(" Of 200")[0]
            for s in states("forget_gate")
            if s.settings["layers"] == layers
        ]
        for layers in forgetting.LAYERS
    }
    assert said["none"] == said["forget"] == said["four"]
