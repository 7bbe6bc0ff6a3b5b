"""The symbolic gradients: against the core to 1e-12, against themselves by other routes,
and as a reader sees them."""

import numpy as np
import pytest
import sympy as sp
from witnesses import CELLS, every_setting, weight_shapes

from bptt_core import derivations, jacobians, lstm, readout
from bptt_core.derivations.symbols import sigmoid, softmax

LOSSES = ["squared_error", "softmax_cross_entropy"]
NAMES = {cell.__name__.rpartition(".")[2]: cell for cell in CELLS}
every_name = pytest.mark.parametrize("cell", NAMES)
ALL_SETTINGS = [
    pytest.param(name, settings, id=f"{name}{settings}")
    for name, cell in NAMES.items()
    for settings in every_setting(cell)
    if settings.get("activation") != "relu"  # has no symbolic derivative at 0
]


def draw(name, n, T, inputs, outputs, bias=True, seed=0):
    """Random numbers for every leaf in the shapes of the core, with B = 1; none alike,
    none zero."""
    rng = np.random.default_rng(seed)
    shapes = weight_shapes(NAMES[name], inputs, n) | {"W_hy": (outputs, n), "b_y": (outputs,)}
    shapes |= {"x": (T, 1, inputs)} | {f"{state}_0": (1, n) for state in NAMES[name].STATES}
    if not bias:
        shapes = {key: shape for key, shape in shapes.items() if not key.startswith("b_")}
    numbers = {key: rng.standard_normal(shape) for key, shape in shapes.items()}
    return numbers | {"target": rng.dirichlet(np.ones(outputs), (T, 1))}


def params_of(name, numbers):
    cell = NAMES[name]
    return cell.Params(*(numbers.get(field) for field in cell.Params._fields))


def core(name, numbers, loss, settings, **of_loss):
    """(cache, gradients of the cell, of the readout, loss) from the numeric core."""
    cell = NAMES[name]
    params = params_of(name, numbers)
    out = readout.Params(numbers["W_hy"], numbers.get("b_y"))
    start = [numbers[f"{state}_0"] for state in cell.STATES]
    cache = cell.forward(params, numbers["x"], *start, **settings)
    y = readout.forward(out, cache.h[1:])
    value, dy = getattr(readout, loss)(y, numbers["target"], **of_loss)
    behind = readout.backward(out, cache.h[1:], dy)
    return cache, cell.backward(params, cache, behind.h, per_step=True), behind, value


def flat(*arrays):
    return np.concatenate([np.ravel(np.asarray(array, dtype=float)) for array in arrays])


def agree(got, want, tolerance=1e-12):
    got, want = flat(got), flat(want)
    return got.shape == want.shape and np.abs(got - want).max() <= tolerance * max(
        1, np.abs(want).max()
    )


@pytest.mark.parametrize(
    ("n", "T", "inputs", "outputs"), [(2, 3, 1, 3), (1, 3, 2, 3), (2, 1, 3, 3), (1, 2, 3, 1)]
)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("cell", "settings"), ALL_SETTINGS)
def test_every_gradient_agrees_with_the_core(cell, settings, loss, n, T, inputs, outputs):
    numbers = draw(cell, n, T, inputs, outputs)
    got = getattr(derivations, cell)(
        n, T, loss=loss, inputs=inputs, outputs=outputs, **settings
    ).function()(**numbers)
    _, grads, behind, value = core(cell, numbers, loss, settings)
    want = grads.params._asdict() | behind.params._asdict() | {"x": grads.x, "L": value}
    want |= {f"{state}_0": getattr(grads, state)[0] for state in NAMES[cell].STATES}
    assert got.keys() == want.keys()
    for name, gradient in got.items():
        assert agree(gradient, want[name]), name


@pytest.mark.parametrize(
    ("steps", "reduction"), [("last", "sum"), ([3, 1], "mean"), (None, "mean"), ([2], "sum")]
)
@pytest.mark.parametrize("bias", [True, False])
@every_name
def test_losses_at_some_steps_agree_with_the_core(cell, bias, steps, reduction):
    numbers = draw(cell, 2, 3, 1, 3, bias)
    settings = {"steps": steps, "reduction": reduction}
    d = getattr(derivations, cell)(2, 3, inputs=1, outputs=3, bias=bias, **settings)
    got = d.function()(**numbers)
    _, grads, behind, value = core(cell, numbers, "squared_error", {}, **settings)
    assert (
        agree(got["L"], value)
        and agree(got["W_hh"], grads.params.W_hh)
        and agree(got["W_hy"], behind.params.W_hy)
    )
    assert agree(got["x"], grads.x) and ("b_h" in got) == bias


@pytest.mark.parametrize("loss", LOSSES)
@every_name
def test_the_contributions_are_those_of_each_step(cell, loss):
    numbers = draw(cell, 2, 3, 1, 3)
    d = getattr(derivations, cell)(2, 3, loss=loss, outputs=3)
    _, grads, _, _ = core(cell, numbers, loss, {})
    for name in NAMES[cell].Params._fields:
        for t, contribution in enumerate(d.contributions(name)):
            assert agree(d.evaluate(contribution, **numbers), getattr(grads.per_step, name)[t]), (
                name,
                t,
            )


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["W_xh", "W_hh", "b_h"])
@every_name
def test_the_terms_over_k_add_up_to_the_gradient_of_one_loss(cell, name, loss):
    numbers = draw(cell, 2, 3, 1, 3)
    d = getattr(derivations, cell)(2, 3, loss=loss, outputs=3)
    for t in (1, 3):
        terms = d.terms(name, t)
        _, grads, _, _ = core(cell, numbers, loss, {}, steps=[t])
        assert [term.k for term in terms] == list(range(1, t + 1))
        products = []
        for term in terms:
            row = sp.eye(1)
            for _, factor in term.factors[:-1]:
                row = row * factor
            assert (
                term.factors[0][1].shape == (1, len(d.state(t)))
                and len(term.factors) == t - term.k + 2
            )
            products.append(list(row * term.factors[-1][1]))
        values = d.evaluate(sp.Matrix([list(term.value) for term in terms]), **numbers)
        assert agree(values, getattr(grads.per_step, name)[:t])
        assert agree(d.evaluate(sp.Matrix(products), **numbers), values)


@pytest.mark.parametrize(("cell", "settings"), ALL_SETTINGS)
def test_the_symbolic_step_jacobian_is_that_of_the_core(cell, settings):
    numbers = draw(cell, 2, 3, 1, 3)
    d = getattr(derivations, cell)(2, 3, outputs=3, **settings)
    cache, *_ = core(cell, numbers, "squared_error", settings)
    J = jacobians.step_jacobians(params_of(cell, numbers), cache)
    for t in (1, 2, 3):
        assert agree(d.evaluate(d.jacobian(t), **numbers), J[t - 1, 0])


def test_the_immediate_derivative_holds_the_state_before_fixed():
    d = derivations.rnn(n=2, T=3)
    h = {(t, j): sp.Symbol(f"h_{t}_{j}") for t in (1, 2) for j in (1, 2)}
    for j in (1, 2):
        got = d.immediate(2, "W_hh")[j - 1]
        want = sp.Matrix(
            2, 2, lambda r, c, j=j: (1 - h[2, j] ** 2) * h[1, c + 1] if r == j - 1 else 0
        )
        assert [str(sp.expand(entry)) for entry in got] == [str(sp.expand(entry)) for entry in want]


def test_the_joint_recursion_is_right_and_that_of_the_cell_alone_is_not():
    numbers = draw("lstm", 2, 3, 1, 3)
    d = derivations.lstm(2, 3, outputs=3, steps="last")
    cache, grads, _, _ = core("lstm", numbers, "squared_error", {}, steps="last")
    joint, alone = d.joint_recursion(), d.cell_recursion()
    params = lstm.Params(numbers["W_xh"], numbers["W_hh"], numbers["b_h"])
    one_step = jacobians.products(sum(jacobians.cell_terms(params, cache)))
    assert list(joint) == list(alone) == [3, 2, 1, 0]
    for j, (eps, delta) in joint.items():
        assert agree(d.evaluate(eps, **numbers), grads.h[j]) and agree(
            d.evaluate(delta, **numbers), grads.c[j]
        )
        got = d.evaluate(alone[j], **numbers)
        assert agree(got, grads.c[3] @ one_step[3 - j, 0])
        error = np.linalg.norm(np.asarray(got) - grads.c[j]) / np.linalg.norm(grads.c[j])
        assert (error < 1e-14) if j == 3 else (error > 0.05), j


def test_what_the_cell_alone_loses_is_the_way_through_the_output_gate():
    d = derivations.lstm(n=1, T=2, steps="last")
    (eps, delta), alone = d.joint_recursion()[1], d.cell_recursion()[1]
    at = {str(symbol): symbol for symbol in (eps + delta).free_symbols}
    R = at["W_ho"] * at["s_2"] * at["o_2"] * (1 - at["o_2"])
    tau = at["o_1"] * (1 - at["s_1"] ** 2)
    assert sp.simplify(delta[0] - alone[0] - d.loss_gradient(2)[0] * R * tau) == 0


def test_the_open_derivative_of_the_output_gate_is_solved():
    """dL/dW_o = Σ_j (ε_j ∘ tanh c_j ∘ o_j (1 − o_j)) [h_{j−1}, x_j]ᵀ."""
    d = derivations.lstm(n=2, T=3)
    by_h_and_x = zip(
        *(d.contributions(name, ("y", "h", "c")) for name in ("W_ho", "W_xo")), strict=True
    )
    for j, (by_h, by_x) in enumerate(by_h_and_x, start=1):
        for r in range(2):
            eps, o, s = (sp.Symbol(f"{name}_{j}_{r + 1}") for name in ("dh", "o", "s"))
            for c in range(2):
                want = eps * s * o * (1 - o) * sp.Symbol(f"h_{j - 1}_{c + 1}")
                assert str(sp.expand(by_h[r, c])) == str(sp.expand(want))
            assert str(sp.expand(by_x[r])) == str(
                sp.expand(eps * s * o * (1 - o) * sp.Symbol(f"x_{j}"))
            )


def test_the_error_of_an_rnn_runs_back_as_one_delta_recursion():
    delta = derivations.rnn(n=1, T=3, steps="last").backward(named=("a",))
    assert [str(line) for line in delta] == [
        "Eq(da_3, W_hy*(1 - h_3**2)*(-target_3 + y_3))",
        "Eq(da_2, W_hh*da_3*(1 - h_2**2))",
        "Eq(da_1, W_hh*da_2*(1 - h_1**2))",
    ]


def test_the_backward_lines_are_those_of_the_code():
    lines = [str(line) for line in derivations.lstm(n=1, T=1).backward()]
    assert lines == [
        "Eq(dy_1, -target_1 + y_1)",
        "Eq(dh_1, W_hy*dy_1)",
        "Eq(dc_1, dh_1*o_1*(1 - s_1**2))",
        "Eq(da_o_1, dh_1*o_1*s_1*(1 - o_1))",
        "Eq(da_g_1, dc_1*i_1*(1 - g_1**2))",
        "Eq(da_f_1, c_0*dc_1*f_1*(1 - f_1))",
        "Eq(da_i_1, dc_1*g_1*i_1*(1 - i_1))",
    ]


def test_the_backward_lines_of_a_gru_are_those_of_the_code_in_both_forms():
    def after_h(reset):
        lines = [str(line) for line in derivations.gru(n=1, T=1, reset=reset).backward()]
        return lines[2:]

    to_n = "Eq(da_n_1, dh_1*(1 - n_1**2)*(1 - z_1))"
    to_z = "Eq(da_z_1, dh_1*z_1*(1 - z_1)*(h_0 - n_1))"
    assert after_h("after") == [to_n, to_z, "Eq(da_r_1, da_n_1*m_1*r_1*(1 - r_1))"]
    assert after_h("before") == [to_n, to_z, "Eq(da_r_1, W_hn*da_n_1*h_0*r_1*(1 - r_1))"]


def test_the_gradient_of_the_logits_is_probability_minus_target_for_targets_that_sum_to_one():
    d = derivations.rnn(n=1, T=1, loss="softmax_cross_entropy", outputs=2)
    by_name = {str(line.lhs): line.rhs for line in d.backward()}
    for k in (1, 2):
        p, target, other = (
            sp.Symbol(name) for name in (f"p_1_{k}", f"target_1_{k}", f"target_1_{3 - k}")
        )
        got = sp.sympify(str(by_name[f"dy_1_{k}"])).subs(other, 1 - target)
        assert sp.expand(got - (p - target)) == 0


def test_the_written_derivatives_of_sigmoid_and_softmax_are_right():
    a, b, c = sp.symbols("a b c", real=True)
    assert sp.simplify(sigmoid(a).diff(a).rewrite(sp.exp) - (1 / (1 + sp.exp(-a))).diff(a)) == 0
    for k in (1, 2, 3):
        whole = softmax(k, a, b, c)
        for symbol in (a, b, c):
            assert (
                sp.simplify(whole.diff(symbol).rewrite(sp.exp) - whole.rewrite(sp.exp).diff(symbol))
                == 0
            )


def test_one_term_is_shown_by_name_and_written_out():
    first, *_, last = derivations.rnn(n=1, T=3, steps="last").terms("W_hh")
    names = [r"\frac{\partial L_{3}}{\partial h_{3}}", r"\frac{\partial h_{3}}{\partial h_{2}}"]
    names += [
        r"\frac{\partial h_{2}}{\partial h_{1}}",
        r"\frac{\partial^{+} h_{1}}{\partial W_{hh}}",
    ]
    assert first.latex.startswith(" ".join(names) + " = ")
    assert last.latex.endswith(r"\, \left(h_{2} \left(1 - h_{3}^{2}\right)\right)")
    assert first._repr_latex_() == f"$${first.latex}$$"
    pair = derivations.lstm(n=1, T=2).terms("W_hf")[0].latex
    assert pair.endswith(r"{\partial (h, c)_{1}} \frac{\partial^{+} (h, c)_{1}}{\partial W_{hf}}")


def test_equations_are_shown_aligned_in_the_notation_of_the_book():
    d = derivations.lstm(n=2, T=1, inputs=1)
    text = derivations.aligned([*d.forward, d.equation("W_xf")])
    assert (
        text._repr_latex_().startswith("$$\n\\begin{aligned}\n")
        and text.count("&=") == len(d.lines) + 1
    )
    assert r"f_{1,2} &= \sigma\left(a_{f,1,2}\right)" in text and r"\frac{dL}{dW_{xf}} &= " in text
    assert r"\left(- y^{\star}_{1} + y_{1}\right)^{2}" in text and r"W_{hf,21}" in text
    assert r"a_{1} &= W_{hh} h_{0} + W_{xh} x_{1} + b_{h}" in derivations.aligned(
        derivations.rnn(T=1).forward
    )


def test_an_expression_is_evaluated_as_a_number_and_a_matrix_as_nested_lists():
    d, numbers = derivations.rnn(n=1, T=2), draw("rnn", 1, 2, 1, 1)
    cache, *_, value = core("rnn", numbers, "squared_error", {})
    assert d.evaluate(d.total, **numbers) == pytest.approx(float(value), rel=1e-14)
    assert d.evaluate(d.state(2)[0], **numbers) == pytest.approx(cache.h[2, 0, 0], rel=1e-14)
    assert agree(d.evaluate(d.leaves["x"], **numbers), numbers["x"])


def bad_calls():
    rnn_derivation, lstm_derivation = derivations.rnn(), derivations.lstm(T=2, steps="last")
    numbers = draw("rnn", 1, 3, 1, 1)
    without_x = {name: value for name, value in numbers.items() if name != "x"}
    for cell in (derivations.rnn, derivations.lstm, derivations.gru):
        for name, value in (
            ("n", 3),
            ("T", 4),
            ("T", 0),
            ("inputs", 4),
            ("outputs", 0),
            ("n", 1.5),
        ):
            yield lambda cell=cell, name=name, value=value: cell(**{name: value}), name
        yield lambda cell=cell: cell(loss="hinge"), "loss"
        yield lambda cell=cell: cell(reduction="max"), "reduction"
        yield lambda cell=cell: cell(steps=[4]), "steps"
        yield lambda cell=cell: cell(steps=[]), "steps"
    yield lambda: derivations.rnn(activation="relu"), "activation"
    yield lambda: derivations.lstm(squash="relu"), "squash"
    yield lambda: derivations.gru(reset="within"), "reset"
    yield lambda: rnn_derivation.gradient("W_hf"), "name"
    yield lambda: derivations.rnn(bias=False).gradient("b_h"), "name"
    yield lambda: rnn_derivation.terms("W_hy"), "name"
    yield lambda: lstm_derivation.terms("W_hh", 1), "t"
    for t in (0, -1, 4):
        yield lambda t=t: rnn_derivation.jacobian(t), "t"
        yield lambda t=t: rnn_derivation.immediate(t, "W_hh"), "t"
    yield lambda: rnn_derivation.state(-1), "t"
    yield rnn_derivation.joint_recursion, "joint_recursion"
    yield derivations.gru().joint_recursion, "joint_recursion"
    yield lambda: rnn_derivation.function()(**without_x), "numbers"
    yield lambda: rnn_derivation.function()(**numbers, c_0=0), "numbers"
    yield lambda: rnn_derivation.function()(**numbers | {"x": [1, 2]}), "x"


@pytest.mark.parametrize(("call", "argument"), list(bad_calls()))
def test_bad_input_is_named(call, argument):
    with pytest.raises(ValueError, match=f"^{argument}: got .*, wanted "):
        call()
