"""One question of each kind, for the browser tests: small enough to know every right answer and
every slip."""

import itertools

import numpy as np

from bptt_core import ask, labs

TRUE = {"T": 6, "B": 3}
LAGS = [0, 5, 10, 15, 20, 30]
CURVE = [1, 0.1, 1e-2, 1e-3, 1e-4, 1e-5]


def choice():
    return ask.choice(
        "pick",
        "Does the *norm* of W_hh decide?",
        {"yes": "It bounds. It does not decide.", "no": "It is a bound.", "never": "It bounds."},
        "no",
        hints=["Think of a bound.", "Of an upper one."],
        reveals=["guarded", "guarded-too"],
        label="Before you run it",
    )


def wrong_line():
    return ask.wrong_line(
        "hunt",
        "Which line is wrong?",
        {
            "da = (1 - h**2) * dh": "The slope of tanh: right.",
            "dW = da.T @ h[t]": "h_{t−1} belongs here.",
        },
        "dW = da.T @ h[t]",
    )


def number():
    return ask.number(
        "slope",
        "The state is 0.6535. What is the slope of tanh?",
        1 - 0.6535**2,
        "1 − h^2.",
        slips=[(1 - 0.6535, "1 − h was taken."), (0.6535 * (1 - 0.6535), "That is logistic.")],
        factors=TRUE,
        hints=["It is 1 − h^2."],
    )


def twins():
    """Two mistakes that two digits cannot tell apart, and three can."""
    return ask.number(
        "twins",
        "How much?",
        5.17,
        "Like this.",
        also=[4.9],
        slips=[(2.314, "First."), (2.333, "Second.")],
    )


def whole():
    return ask.number("count", "How many factors?", 4, "From 3 to 6.", slips=[(5, "One too many.")])


def task(seed):
    """δ_2, then δ_1, then what W_hh gets: two units, two steps."""
    rng = np.random.default_rng(seed)

    def draw(*shape):
        return (rng.choice([-1, 1], shape) * rng.uniform(0.15, 0.95, shape)).round(2)

    W, h_0, h_1, h_2, up_1, up_2 = draw(2, 2), *draw(5, 2)
    ones = np.ones(2)
    slopes = {t: ask.Part(1 - h**2, [(ones, "The slope is missing."), (1 - h, "1 − h was taken.")])
              for t, h in ((1, h_1), (2, h_2))}  # fmt: skip
    outer = np.hstack([np.kron(np.eye(2), h[:, None]) for h in (h_1, h_0)])
    shifted = np.hstack([np.kron(np.eye(2), h[:, None]) for h in (h_2, h_1)])
    steps = [
        ask.Step(
            "δ_2", (2,), (slopes[2],), ask.Part(up_2, [(up_1, "The loss of step 1.")]), why="So."
        ),
        ask.Step(
            "δ_1",
            (2,),
            (slopes[1],),
            ask.Part(up_1, [(0 * up_1, "The loss of step 1 is missing.")]),
            ask.Part(W.T, [(W, "W_hh is not transposed."), (0 * W, "Nothing is carried back.")]),
        ),
        ask.Step("dW_hh", (2, 2), carry=ask.Part(outer, [(shifted, "h_t was taken for h_{t−1}.")])),
    ]
    return ask.Task({"W_hh": W, "h_1": h_1, "h_2": h_2, "note": "tanh"}, steps)


def matrix():
    return ask.matrix("steps", "Carry it back.", task, seeds=range(5), factors={"T": 3})


def curve():
    return ask.curve(
        "draw",
        "How large is the gradient?",
        LAGS,
        CURVE,
        "One decade for five lags, then slower.",
        limits=(1e-6, 10),
        ylabel="size",
        slips=[([1] * 6, "Flat: nothing vanishes.")],
        lab=("paths", {"lag": 3}),
    )


BODY = [
    (
        "da = (1 - h[t]**2) * (dh[t] + carried)",
        {"da = dh[t] + carried": "The slope is missing."},
        (),
    ),
    ("dW = dW + da.T @ h[t-1]", {"dW = dW + da.T @ h[t]": "h_t was taken for h_{t−1}."}, (0,)),
    ("carried = da @ W", {}, (0,)),
]


def gradient(codes):
    """dW of a loop with these three lines, on numbers of its own; infinite if it does not run."""
    rng = np.random.default_rng(0)
    h, dh = np.tanh(rng.standard_normal((4, 2, 3))), rng.standard_normal((4, 2, 3))
    names = {"h": h, "dh": dh, "W": rng.standard_normal((3, 3)), "carried": 0, "dW": 0}
    try:
        exec("for t in (3, 2, 1):\n" + "\n".join(f"    {code}" for code in codes), names)
    except NameError:
        return np.full((3, 3), np.inf)
    return names["dW"]


def run(codes):
    right, found = gradient([code for code, _, _ in BODY]), gradient(codes)
    error = float(np.linalg.norm(found - right) / np.linalg.norm(right))
    return ask.Run({"dW_hh": error}, np.exp(-np.arange(20) / (5 + min(error, 9))))


def order():
    lines = [ask.Line(code, wrong, tuple((i, "`da` comes first.") for i in after))
             for code, wrong, after in BODY]  # fmt: skip
    return ask.order("lines", "Put the lines in order.", lines, run, "Slope, collect, carry.",
                     intro="for t in (3, 2, 1):")  # fmt: skip


def lab():
    return labs.truncation()


def state(lab):
    key = next(k for k, v in lab.grid.items() if not isinstance(v[0], str))
    goal = next(v for v in (lab.grid[key][0], lab.grid[key][-1]) if v != lab.settings[key])
    question = ask.state("bring", "Bring it to the end.", lab,
                         lambda **s: 1 if s[key] == goal else 0, ["", "There it is."], 1,
                         answer="Move the slider.")  # fmt: skip
    return question, key, lab.grid[key].index(goal)


def check(names):
    right = names["double"](3) == 6
    return right, "It doubles." if right else "Three becomes <b>" + str(
        names["double"](3)
    ) + "</b>."


def code():
    return ask.code("write", "Double it.", "def double(x):\n    return x\n", "import numpy as np",
                    check, answer="`2 * x`", hints=["Two of them."])  # fmt: skip


def every(lab):
    return [choice(), wrong_line(), number(), twins(), whole(), matrix(), curve(), order(),
            state(lab)[0], code()]  # fmt: skip


def slips_of(step):
    """[(kind, position among the slots, which slip)] of a step, and all pairs of different
    slots."""
    slots = step.slots(0)
    single = [(k, i) for k, (_, part, _) in enumerate(slots) for i in range(len(part.slips))]
    pairs = [(a, b) for a, b in itertools.combinations(single, 2) if a[0] != b[0]]
    return [(slip,) for slip in single], pairs


def outcome(step, before, slips):
    """What comes out of a step with these slips, computed apart from the page."""
    chosen = {k: i for k, i in slips}
    total, scale = np.zeros(step.size), np.ones(step.size)
    for k, (kind, part, _) in enumerate(step.slots(len(before))):
        values = part.right if k not in chosen else part.slips[chosen[k]][0]
        if kind == "scale":
            scale = scale * np.ravel(values)
        elif kind == "add":
            total = total + np.ravel(values)
        else:
            total = total + np.reshape(values, (step.size, -1)) @ before
    return total * scale
