"""The tasks by hand: every variant × every mistake, typed into the page with two digits as a
reader would.

The mistakes are run by `bptt_core.mistakes`, which knows nothing of the page: a mistake's whole
backward pass gives what a reader who makes it types at every step. The page must name it the first
time it shows, and then no more."""

import re

import numpy as np
import pytest
from by_hand import answers, named_slips, opened, right, typed

from bptt_core import ask, explicit, lstm, rnn
from bptt_core.ask import mean_of_three, numbers, tasks
from bptt_core.ask.text import rich
from bptt_core.mistakes import MISTAKES

SEEDS = range(30)
TASKS = {
    "rnn": tasks.rnn_gradient,
    "lstm": tasks.lstm_forget_row,
    "mean": mean_of_three.task,
}
VARIANTS = {name: [task(seed) for seed in SEEDS] for name, task in TASKS.items()}


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    made = [ask.matrix(f"task-{name}", "Carry it back.", task, seeds=SEEDS, factors={"T": 3})
            for name, task in TASKS.items()]  # fmt: skip
    with opened(browser, tmp_path_factory.mktemp("tasks"), made) as page:
        yield page


def given(task, name, steps):
    return np.stack([task.given[name.format(t, t)] for t in steps])[:, None]


def with_states(cache, h):
    """The cache of a run whose states are what the task gives, wherever the core keeps them."""
    inputs = np.concatenate([cache.x, 0 * cache.x[:1]])
    return cache._replace(h=h, joint=np.concatenate([h, inputs], -1))


def lost_in_the_sum(mistake, module):
    """Whether a mistake is made in the sums alone: every δ is right then."""
    return mistake and all(name.startswith(("dW_", "db_")) for name in mistake.lines(module))


def rnn_pass(task, mistake=None):
    """δ_3, δ_2, δ_1, dW_hh of a whole pass. Inputs that are 1 at one step each bring every δ out,
    in dW_xh."""
    h, dh = given(task, "h_{}", range(4)), given(task, "∂⁺L/∂h_{}", (1, 2, 3))
    params = rnn.Params(np.zeros((2, 3)), task.given["W_hh"])
    cache = with_states(rnn.forward(params, np.eye(3)[:, None], h[0]), h)
    right = rnn.backward(params, cache, dh).params
    found = mistake.apply(params, cache, dh) if mistake else right
    deltas = (right if lost_in_the_sum(mistake, explicit.rnn) else found).W_xh
    return [deltas[:, 2], deltas[:, 1], deltas[:, 0], found.W_hh]


def lstm_pass(task, mistake=None):
    """∂L/∂c_3, ∂L/∂a_f3, ∂L/∂c_2, ∂L/∂a_f2 and the row. W_hh = 0, so that ∂L/∂h_2 is what is given.

    ∂L/∂c is read off gate i, whose slope and factor are made 1."""
    h, c = given(task, "h_{}", (1, 2, 3)), given(task, "c_{}", (1, 2, 3))
    s, f, o, dh = (given(task, name, (2, 3)) for name in ("tanh(c_{})", "f_{}", "o_{}", "∂L/∂h_{}"))
    params = lstm.Params(np.zeros((8, 2)), np.zeros((8, 2)))
    run = with_states(lstm.forward(params, np.eye(2)[:, None], h[0], c[0]), h)
    cache = run._replace(
        c=c, s=s, gates=np.stack([0 * f + 0.5, f, 0 * f + 4, o], -2)
    )  # i(1−i)g = 1
    right = lstm.backward(params, cache, dh).params
    found = mistake.apply(params, cache, dh) if mistake else right
    deltas = (right if lost_in_the_sum(mistake, explicit.lstm) else found).W_xh
    read = right.W_xh if mistake and "da_i" in mistake.lines(explicit.lstm) else deltas
    return [read[:2, 1], deltas[2:4, 1], read[:2, 0], deltas[2:4, 0], found.W_hh[2]]


def mean_pass(task):
    """δ_3, δ_2 and what both give to db_h; inputs that are 1 at one step each bring every δ out."""
    h, error = given(task, "h_{}", (1, 1, 2, 3)), given(task, "p_{} − target_{}", (1, 2, 3))
    params = rnn.Params(np.zeros((2, 3)), task.given["W_hh"])
    cache = explicit.rnn.forward(params, np.eye(3)[:, None], h[0])._replace(h=h)
    delta = explicit.rnn.backward(params, cache, error @ task.given["W_hy"] / 3).W_xh.T
    return [delta[2], delta[1], delta[2] + delta[1]]


PASSES = {"rnn": rnn_pass, "lstm": lstm_pass, "mean": mean_pass}


@pytest.mark.parametrize("name", TASKS)
def test_the_right_answers_are_those_of_the_package(name):
    for task in VARIANTS[name]:
        for found, want in zip(right(task), PASSES[name](task), strict=True):
            assert np.allclose(found, np.ravel(want), rtol=0, atol=1e-14)


@pytest.mark.parametrize("digits", [2, 3, 4, 9])
@pytest.mark.parametrize("name", TASKS)
def test_no_right_answer_is_refused(page, name, digits):
    said = answers(page, name, [[right(task)] for task in VARIANTS[name]], digits)
    verdicts = [verdict for (case,) in said for verdict, _ in case]
    assert set(verdicts) == {"right"}


def shows(name, mistake):
    """Whether the mistake changes anything that this task asks for, in any variant."""
    return any(
        not np.allclose(a, np.ravel(b))
        for task in VARIANTS[name]
        for a, b in zip(right(task), PASSES[name](task, mistake), strict=True)
    )


NOT_HERE = {  # mistakes that show in numbers of a task, and that nobody can make in it
    "runs forward in time": "the steps are asked for in their order",
    "index −1 wraps": "lstm: the task has no first step",
    "c_0 taken for zero": "lstm: the task has no first step",
    "h_0 taken for zero": "lstm: the task has no first step",
}
ALIASES = {  # where a task calls it something else, or two mistakes give the same there
    "outer product transposed": numbers.TURNED,
    "nothing carried back": tasks.said("cell's gradient not carried"),
    "state's gradient not carried": tasks.said("nothing carried back"),
    "no slopes at the gates": tasks.said("slope missing at gate f"),
    "only the last loss": "The road from h_2 is missing: c_2 acts through h_2 too.",
}
MODULES = {"rnn": explicit.rnn, "lstm": explicit.lstm}


def own(name):
    """Every known mistake that shows in a task, but for biases and gates that it does not hold."""
    params = {"rnn": rnn.Params(np.zeros((2, 3)), np.zeros((2, 2))),
              "lstm": lstm.Params(np.zeros((8, 2)), np.zeros((8, 2)))}[name]  # fmt: skip
    mine = [m for m in MISTAKES if m.concerns(params)]
    mine = [m for m in mine if not re.search("gate [igo]|the bias of|summed over t|batch", m.name)]
    mine = [m for m in mine if not NOT_HERE.get(m.name, "–").startswith(("the", f"{name}:"))]
    return [mistake for mistake in mine if shows(name, mistake)]


def sentences(mistake):
    """What the page may call it."""
    names = [tasks.said(mistake.name), ALIASES.get(mistake.name)]
    return [rich(name) for name in names if name]


def test_the_tasks_ask_for_what_the_mistakes_change():
    """Hidden here: what concerns biases, the batch, other gates, and roads that the LSTM's task
    gives as already travelled."""
    assert len(own("rnn")) == 14, [m.name for m in own("rnn")]
    assert len(own("lstm")) == 16, [m.name for m in own("lstm")]


@pytest.mark.parametrize("name", MODULES)
def test_a_whole_pass_with_one_mistake_has_it_named_once_and_nothing_else(page, name):
    """At two digits, in every variant: named where it first shows; after that every step is right,
    carried or the same."""
    mistakes = own(name)
    passes = [[PASSES[name](task, m) for m in mistakes] for task in VARIANTS[name]]
    said = answers(page, name, passes)
    found = []
    for task, row, wrong in zip(VARIANTS[name], said, passes, strict=True):
        for mistake, steps, values in zip(mistakes, row, wrong, strict=True):
            first = True
            for (verdict, html), value, true in zip(steps, values, right(task), strict=True):
                if typed(value) == typed(true):
                    assert verdict in ("right", "near", "again", "carried"), (mistake.name, html)
                elif first:
                    found.append(any(sentence in html for sentence in sentences(mistake)))
                    first = False
                else:
                    told = verdict in ("again", "carried", "right", "near")
                    same = any(sentence in html for sentence in sentences(mistake))
                    assert told or same, (mistake.name, html)
    shares = np.reshape(found, (len(SEEDS), -1)).mean(0)
    print({m.name: float(share) for m, share in zip(mistakes, shares, strict=True) if share < 1})
    print(name, len(mistakes), "mistakes,", len(found), "passes, named:", np.mean(found))
    assert np.mean(found) >= 0.98


@pytest.mark.parametrize("name", TASKS)
def test_slips_and_pairs_of_slips_at_one_step_are_named(page, name):
    """At least 98 % of the single ones, 80 % of the pairs; and a single one is never given
    another's name alone."""
    counts = named_slips(page, name, VARIANTS[name])
    shares = {n: float(np.mean(found)) for n, found in counts.items()}
    print(name, {n: (len(found), round(shares[n], 4)) for n, found in counts.items()})
    assert shares[1] >= 0.98 and shares[2] >= 0.8


@pytest.mark.parametrize("name", TASKS)
def test_numbers_that_nothing_explains_are_hardly_ever_explained(page, name):
    """Right answers, each entry times a random factor from 0.3 to 3 or its negative: what is named
    is a coincidence."""
    rng = np.random.default_rng(0)
    rows = []
    for task in VARIANTS[name]:
        factors = [
            rng.choice([-1, 1], v.size) * np.exp(rng.uniform(-1.2, 1.2, v.size))
            for v in right(task)
        ]
        rows.append([[v * f for v, f in zip(right(task), factors, strict=True)]])
    said = answers(page, name, rows)
    verdicts = [verdict for row in said for case in row for verdict, _ in case]
    share = np.mean([verdict in ("slip", "again") for verdict in verdicts])
    print(name, len(verdicts), "explained by chance:", share)
    assert share < 0.1
    assert not any(
        re.search("undefined|NaN", html) for row in said for case in row for _, html in case
    )
