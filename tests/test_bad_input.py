"""A malformed call ends in a ValueError that names the argument,
what came and what should have come: nothing else.

A valid call of every public function of the core is spoilt in one way at one argument, 1,000 times.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from witnesses import CELLS, CHOICES, every_cell, weight_shapes

from bptt_core import cells, gru, lstm, readout, rnn

T, B, D, H, K = 5, 3, 2, 4, 6
GRID = (2, 3)
NOT_NUMBERS = [
    "three",
    b"three",
    None,
    [[1.0, 2.0], [3.0]],
    [[[1.0]], [[2.0, 3.0]]],
    {"a": 1.0},
    {1.0, 2.0},
    object(),
    np,
    len,
    Ellipsis,
    np.array(["1.0"]),
    np.array([None]),
    np.array("2026-01-01", dtype="M8[D]"),
    (x for x in "ab"),
]
NOT_SIZES = [0, -3, 2.5, 4.0, "4", None, True, np.nan, np.inf, [4], np.array([4, 4]), 1 + 0j]
NOT_SCALARS = ["1", None, np.nan, np.inf, -np.inf, [1.0], np.ones(2), 1j, b"1", object()]
NOT_NAMES = [
    "",
    "Tanh",
    "softplus",
    None,
    0,
    1.5,
    ["tanh"],
    ("tanh",),
    {"tanh"},
    np.array(["tanh"]),
    np.tanh,
    b"tanh",
]
NOT_RNGS = [None, 0, "rng", np.random, np.random.RandomState(0), np.random.default_rng]
NOT_DTYPES = [
    int,
    "int32",
    complex,
    object,
    "three",
    None,
    np.float16,
    bool,
    64,
    [float],
    np.dtype("c16"),
]
NOT_STEPS = [
    [],
    [0],
    [T + 1],
    [-1],
    [1.0],
    [1.5],
    ["1"],
    [None],
    [[1]],
    "first",
    "",
    3,
    2.5,
    T,
    np.nan,
    {},
    np.ones((2, 2), int),
    [True, 9],
]
NOT_REDUCTIONS = [None, "", "Mean", "average", 1, ["sum"], np.array(["sum", "mean"]), np.mean]


def spoilt_array(draw, value, *, optional, free_axes, real=False):
    """An array, or a dictionary of arrays by step,
    which is wrong whatever the other arguments are."""
    if isinstance(value, dict):
        t = draw(st.sampled_from(sorted(value)))
        if draw(st.booleans()):
            return value | {draw(st.sampled_from([0, -1, T + 1, 2.5, "1", None, (1,)])): value[t]}
        return value | {t: spoilt_array(draw, value[t], optional=False, free_axes=(), real=real)}
    value = np.array(value)
    ways = ["rank up", "rank down", "longer", "empty", "not finite", "no numbers"] + [
        "complex"
    ] * real
    way = draw(st.sampled_from(ways))
    if way == "rank up":
        return value[None] if value.ndim < 5 else value[None, None]
    if way == "rank down":
        return value[0]
    if way in ("longer", "empty"):
        axis = draw(
            st.sampled_from(
                [
                    axis
                    for axis in range(value.ndim)
                    if way == "empty" or axis - value.ndim not in free_axes
                ]
            )
        )
        wrong = (
            np.concatenate([value, np.take(value, [0], axis)], axis)
            if way == "longer"
            else np.take(value, [], axis)
        )
        return wrong.tolist() if draw(st.booleans()) and wrong.size else wrong
    if way == "complex":
        return value + 1j
    if way == "not finite":
        value = value.astype(float)
        value[tuple(draw(st.integers(0, n - 1)) for n in value.shape)] = draw(
            st.sampled_from([np.nan, np.inf, -np.inf])
        )
        return value
    return draw(st.sampled_from([bad for bad in NOT_NUMBERS if bad is not None or not optional]))


def one_of(values):
    """A way to spoil: any of the values."""
    return lambda draw, value: draw(st.sampled_from(values))


def array(*, optional=False, free_axes=(), real=False):
    """A way to spoil an array whose `free_axes` (counted from the end) may have any length."""
    return lambda draw, value: spoilt_array(
        draw, value, optional=optional, free_axes=free_axes, real=real
    )


def field(name, *, optional=False, free_axes=()):
    """A way to spoil one field of the parameters."""
    spoil = array(optional=optional, free_axes=free_axes)
    return lambda draw, params: params._replace(**{name: spoil(draw, getattr(params, name))})


def state(draw, value):
    """A way to spoil what may be broadcast: too many sequences, none, or no numbers."""
    too_many, none, not_finite = (
        np.concatenate([value, value[:1]]),
        value[..., :0],
        np.full(value.shape, np.nan),
    )
    return draw(
        st.sampled_from(
            [too_many, none, not_finite, *(bad for bad in NOT_NUMBERS if bad is not None)]
        )
    )


NOT_PARAMS = [
    None,
    (),
    (1, 2, 3),
    [np.ones((4, 2))],
    {"W_hh": np.eye(4)},
    "params",
    np.eye(4),
    readout,
    rnn.Params,
]


def weights(cell):
    others = [other for other in CELLS if other is not cell]
    strange = [other.init_params(D, H, np.random.default_rng(0)) for other in others]
    own = {"W_xh": field("W_xh", free_axes=(-1,)), "W_hh": field("W_hh")}
    own |= {name: field(name, optional=True) for name in cell.Params._fields[2:]}
    return own | {"params": one_of([*NOT_PARAMS, *strange])}


EXTRA_SIZES = {lstm: "forget_bias", gru: "update_bias"}  # of init_params
KIND = {rnn: "activation", lstm: "squash", gru: "reset"}


def spoilt_class(draw, value):
    value = value.astype(float)
    value[draw(st.integers(0, T - 1)), draw(st.integers(0, B - 1))] = draw(
        st.sampled_from([-1, K, 10**6, -(10**12), 0.5])
    )
    return value


def spoilt_distribution(draw, value):
    factor = draw(st.sampled_from([0.0, 0.5, 1.01, -1.0, 1e6]))
    value = value.copy()
    value[draw(st.integers(0, T - 1)), draw(st.integers(0, B - 1))] *= factor
    return value


def valid_calls():
    """name → (function, arguments, {argument as the error names it: (key of the argument,
    way to spoil it)})."""
    rng = np.random.default_rng(0)
    calls = {}

    def add(name, function, arguments, spoilers):
        calls[name] = (function, arguments, spoilers)

    for cell in CELLS:
        name = cell.__name__.rpartition(".")[2]
        sizes = {"input_size": D, "hidden_size": H, "rng": rng, "scale": 1.0, "dtype": float}
        own = {
            "input_size": one_of(NOT_SIZES),
            "hidden_size": one_of(NOT_SIZES),
            "rng": one_of(NOT_RNGS),
        }
        own |= {"scale": one_of(NOT_SCALARS), "dtype": one_of(NOT_DTYPES)}
        if cell in EXTRA_SIZES:
            sizes[EXTRA_SIZES[cell]] = 1.0
            own[EXTRA_SIZES[cell]] = one_of(NOT_SCALARS)
        add(
            f"{name}.init_params",
            cell.init_params,
            sizes,
            {key: (key, spoil) for key, spoil in own.items()},
        )
        for grid in ((), GRID):
            shapes = weight_shapes(cell, D, H, grid).values()
            params = cell.Params(*(rng.standard_normal(shape) for shape in shapes))
            states = {f"{state}_0": rng.standard_normal((*grid, B, H)) for state in cell.STATES}
            x = rng.standard_normal((T, *grid, B, D))
            label = f" with grid {grid}" if grid else ""
            given_params = {key: ("params", spoil) for key, spoil in weights(cell).items()}
            kind = KIND[cell]
            setting = CHOICES[kind][0]

            step = {f"{key[0]}_prev": value for key, value in states.items()}
            spoilers = (
                given_params
                | {key: (key, state) for key in step}
                | {kind: (kind, one_of(NOT_NAMES))}
            )
            spoilers |= {
                "x_t": (
                    "x_t",
                    one_of(
                        [
                            *NOT_NUMBERS,
                            x[0, ..., :-1],
                            x[0, ..., :2, :],
                            x[0, ..., :0],
                            3.0,
                            np.ones(D),
                        ]
                    ),
                )
            }
            add(
                f"{name}.step{label}",
                cell.step,
                {"params": params, "x_t": x[0], **step, kind: setting},
                spoilers,
            )

            arguments = {"params": params, "x": x, **states, kind: setting}
            spoilers = given_params | {
                "x": ("x", array(free_axes=(-5, -2) if grid else (-3, -2))),
                kind: (kind, one_of(NOT_NAMES)),
            }
            spoilers |= {key: (key, state) for key in states}
            add(f"{name}.forward{label}", cell.forward, arguments, spoilers)

            cache = cell.forward(params, x, *states.values())
            other = next(other for other in CELLS if other is not cell)
            without_bias = cell.forward(params._replace(b_h=None), x)
            single = cell.Params(*(value.astype(np.float32) for value in params))
            wrong = [None, "cache", (), tuple(cache), other.Cache, without_bias]
            wrong += [without_bias._replace(h=cache.h[..., :-1]), cache._replace(x=x[..., :-1])]
            wrong += [cell.forward(single, x.astype(np.float32))]
            dh = rng.standard_normal((T, *grid, B, H))
            upstreams = {"dh": dh, "dc": {1: dh[0], 4: dh[3]}}
            upstreams = {f"d{state}": upstreams[f"d{state}"] for state in cell.STATES}
            spoilers = given_params | {"cache": ("cache", one_of(wrong))}
            spoilers |= {key: (key, array(optional=True, real=True)) for key in upstreams}
            arguments = {"params": params, "cache": cache, **upstreams}
            add(f"{name}.backward{label}", cell.backward, arguments, spoilers)
            arguments["dh"] = {2: dh[1], 5: dh[4]}
            spoilers = {key: spoil for key, spoil in spoilers.items() if key != "dc"}
            add(f"{name}.backward of some steps{label}", cell.backward, arguments, spoilers)

            slopes_t = cells.at(cell.slopes(cache), 2)
            gradients = {f"d{state}_t": rng.standard_normal((*grid, B, H)) for state in cell.STATES}
            wrong = [None, cell.slopes(cache)[0], tuple(slopes_t), cell.Slopes, cache]
            spoilers = given_params | {key: (key, state) for key in gradients}
            spoilers |= {"slopes_t": ("slopes_t", one_of(wrong))}
            arguments = {"params": params, "slopes_t": slopes_t, **gradients}
            add(f"{name}.step_back{label}", cell.step_back, arguments, spoilers)

    sizes = {"hidden_size": H, "output_size": K, "rng": rng, "scale": 1.0, "dtype": np.float32}
    own = {
        "hidden_size": one_of(NOT_SIZES),
        "output_size": one_of(NOT_SIZES),
        "rng": one_of(NOT_RNGS),
    }
    own |= {"scale": one_of(NOT_SCALARS), "dtype": one_of(NOT_DTYPES)}
    add(
        "readout.init_params",
        readout.init_params,
        sizes,
        {key: (key, spoil) for key, spoil in own.items()},
    )
    params, h = readout.init_params(H, K, rng), rng.standard_normal((T, B, H))
    own = {
        "W_hy": field("W_hy"),
        "b_y": field("b_y", optional=True),
        "params": one_of([*NOT_PARAMS, rnn.init_params(2, 3, rng)]),
    }
    own = {key: ("params", spoil) for key, spoil in own.items()} | {
        "h": ("h", array(free_axes=(-3, -2)))
    }
    add("readout.forward", readout.forward, {"params": params, "h": h}, own)
    y = readout.forward(params, h)
    full = own | {"dy": ("dy", array(optional=True, real=True))}
    add("readout.backward", readout.backward, {"params": params, "h": h, "dy": y}, full)
    add(
        "softmax",
        readout.softmax,
        {"y": y},
        {"y": ("y", one_of([*NOT_NUMBERS, 1.0, [], np.ones((2, 0)), [np.nan, 1], [np.inf, 0]]))},
    )
    classes, distributions = rng.integers(K, size=(T, B)), rng.dirichlet(np.ones(K), size=(T, B))
    for name, loss, target, spoil in [
        (
            "cross-entropy of classes",
            readout.softmax_cross_entropy,
            classes,
            [spoilt_class, array()],
        ),
        (
            "cross-entropy of distributions",
            readout.softmax_cross_entropy,
            distributions,
            [spoilt_distribution, array(real=True)],
        ),
        ("squared error", readout.squared_error, distributions, [array(real=True)]),
    ]:
        spoilers = {
            "y": (
                "y",
                one_of(
                    [
                        *NOT_NUMBERS,
                        y[0, 0],
                        y[:0],
                        y[:, :, :0],
                        np.where(y > 1, np.nan, y),
                        y * np.inf,
                    ]
                ),
            )
        }
        spoilers |= {
            "steps": ("steps", one_of(NOT_STEPS)),
            "reduction": ("reduction", one_of(NOT_REDUCTIONS)),
        }
        arguments = {"y": y, "target": target, "steps": None, "reduction": "sum"}
        for way in spoil:
            add(f"{name}, {len(calls)}", loss, arguments, spoilers | {"target": ("target", way)})
    return calls


CALLS = valid_calls()
FIELDS = {
    "params",
    "W_xh",
    "W_hh",
    "b_h",
    "b_hn",
    "W_hy",
    "b_y",
    "x",
    "h",
    "cache",
}  # what does not fit together may be named


@pytest.mark.parametrize("name", CALLS)
def test_the_call_is_valid_before_it_is_spoilt(name):
    function, arguments, _ = CALLS[name]
    function(**arguments)


@settings(max_examples=1000)
@given(data=st.data())
def test_a_malformed_call_is_a_value_error_that_names_the_argument(data):
    name = data.draw(st.sampled_from(list(CALLS)), label="call")
    function, arguments, spoilers = CALLS[name]
    argument = data.draw(st.sampled_from(list(spoilers)), label="argument")
    key, spoil = spoilers[argument]
    wrong = spoil(data.draw, arguments[key])
    with pytest.raises(ValueError) as caught:
        function(**{**arguments, key: wrong})
    message = str(caught.value)
    assert " got " in message and " wanted " in message and len(message) < 300, message
    named = message.partition(": got ")[0].partition("[")[0].split(", ")
    assert argument in named or (key == "params" and {*named} <= FIELDS), message


def test_the_messages_name_the_argument_and_both_shapes():
    rng = np.random.default_rng(0)
    params = lstm.init_params(D, H, rng)
    cases = {
        r"x: got shape \(5, 3, 7\), wanted \(T, B, 2\)": lambda: lstm.forward(
            params, np.ones((T, B, 7))
        ),
        r"x: got shape \(0, 3, 2\), wanted at least one step": lambda: lstm.forward(
            params, np.ones((0, B, D))
        ),
        r"x: got NaN or infinity, wanted finite numbers": lambda: lstm.forward(
            params, np.full((T, B, D), np.nan)
        ),
        r"W_hh: got NaN or infinity": lambda: rnn.forward(
            rnn.Params(np.ones((1, 1)), [[np.inf]]), np.ones((1, 1, 1))
        ),
        r"W_hh: got shape \(16, 5\), wanted \(…, 4H, H\)": lambda: lstm.forward(
            params._replace(W_hh=np.ones((16, 5))), np.ones((T, B, D))
        ),
        r"b_h: got shape \(4,\), wanted shape \(16,\)": lambda: lstm.forward(
            params._replace(b_h=np.ones(4)), np.ones((T, B, D))
        ),
        r"x: got a ragged list, wanted an array of numbers": lambda: lstm.forward(
            params, [[1.0], [1.0, 2.0]]
        ),
        r"x: got str, wanted an array of numbers": lambda: lstm.forward(params, "x"),
        r"dh: got shape \(3, 4\), wanted shape \(5, 3, 4\)": lambda: backward(
            params, np.ones((B, H))
        ),
        r"dh: got step 6, wanted a step from 1 to 5": lambda: backward(
            params, {T + 1: np.ones((B, H))}
        ),
        r"dh\[2\]: got shape \(3, 5\), wanted shape \(3, 4\)": lambda: backward(
            params, {2: np.ones((B, H + 1))}
        ),
        r"cache: got NoneType, wanted bptt_core.lstm.Cache": lambda: lstm.backward(params, None),
        r"params: got Params, wanted bptt_core.rnn.Params": lambda: rnn.forward(
            readout.init_params(2, 3, rng), np.ones((T, B, D))
        ),
        r"target: got classes 0…6, wanted whole classes 0…5": lambda: readout.softmax_cross_entropy(
            np.ones((1, 2, 6)), [[0, 6]]
        ),
        r"target: got shape \(2, 1\), wanted classes of shape \(1, 2\)": lambda: (
            readout.softmax_cross_entropy(np.ones((1, 2, 6)), [[0], [1]])
        ),
        r"probabilities that sum to 1": lambda: readout.softmax_cross_entropy(
            np.ones((1, 1, 2)), [[[0.5, 0.6]]]
        ),
        r"steps: got \[9\], wanted None, 'last', or steps from 1 to 1": lambda: (
            readout.squared_error([[[1.0]]], [[[1.0]]], steps=[9])
        ),
    }
    for message, call in cases.items():
        with pytest.raises(ValueError, match=message):
            call()


def backward(params, dh):
    return lstm.backward(params, lstm.forward(params, np.ones((T, B, D))), dh)


def test_lists_of_numbers_and_whole_numbers_are_welcome():
    by_list = rnn.forward(
        rnn.Params([[1], [2]], [[0, 1], [1, 0]], [1, 0]), [[[1]], [[2]]], [[0, 1]]
    )
    by_array = rnn.forward(
        rnn.Params(np.array([[1.0], [2]]), np.eye(2)[::-1], np.array([1.0, 0])),
        np.array([[[1.0]], [[2]]]),
        np.eye(2)[1:],
    )
    assert (by_list.h == by_array.h).all() and by_list.h.dtype == float


@every_cell
def test_a_state_or_gradient_for_one_network_serves_the_whole_grid(cell):
    rng = np.random.default_rng(0)
    shapes = list(weight_shapes(cell, D, H, GRID).values())
    params = cell.Params(*(rng.standard_normal(shape) for shape in shapes[:2]))
    x, h_0, dh = (
        rng.standard_normal((T, B, D)),
        rng.standard_normal((B, H)),
        rng.standard_normal((T, B, H)),
    )
    cache = cell.forward(params, x, h_0)
    assert (cache.h == cell.forward(params, x, np.broadcast_to(h_0, (*GRID, B, H))).h).all()
    full = cell.backward(params, cache, np.broadcast_to(dh[:, None, None], (T, *GRID, B, H)))
    for shared in (dh, dict(enumerate(dh, start=1))):
        assert (cell.backward(params, cache, shared).h == full.h).all()
