"""What the lab of linear powers says, in every state of it."""

import re

import numpy as np
import pytest
from lab_claims import NUMBER, claims, made, near, parse

from bptt_core.labs import linear

READS = (
    rf"After (?P<k>\d+) steps? the longest radius is (?P<here>{NUMBER})\. "
    rf"(?:Of 30 lags the norm is largest at lag (?P<lag>\d+), (?P<peak>{NUMBER})\. )?"
    rf"(?:At every lag it is ρᵏ|It stays between ρᵏ and (?P<stays>{NUMBER}) ρᵏ and swings once in "
    rf"(?P<half>{NUMBER}) steps|It tends to (?P<tends>{NUMBER}) ρᵏ): "
    r"(?:(?P<neither>neither vanishing nor exploding)|"
    rf"(?P<word>vanishing, it halves|exploding, it doubles) in (?P<steps>{NUMBER}) steps in the "
    r"long run)\."
)
LAGS = np.arange(31)
POWERS = {}


def keys(state):
    return tuple(state.settings[name] for name in ("radius", "angle", "between"))


def powers(state):
    """W^k for k = 0…30, one product after another."""
    if keys(state) not in POWERS:
        (W,) = linear.matrix(*(np.array([v]) for v in keys(state)))
        found = [np.eye(2)]
        for _ in range(30):
            found.append(W @ found[-1])
        POWERS[keys(state)] = np.array(found)
    return POWERS[keys(state)]


def norms(state):
    return np.linalg.norm(powers(state), 2, (1, 2))


def a_state_each(states):
    return {keys(state): state for state in states}.values()


@claims("eigenvalues_linear", "Eigenvalues decide where a gradient ends, not how it starts")
def ends_and_starts(states):
    """The norm stays between ρ^k and a multiple of it; the same eigenvalues begin with growth at
    one angle and without at another."""
    grows = {}
    for state in a_state_each(states):
        radius, angle, between = keys(state)
        swing = norms(state) / radius**LAGS
        assert swing.min() > 1 - 1e-9
        assert swing.max() <= linear.climb(angle, between) * (1 + 1e-9)
        grows.setdefault((radius, angle), []).append(bool(norms(state)[1] > 1))
    inside = [starts for (radius, _), starts in grows.items() if radius < 1]
    assert all(any(starts) and not all(starts) for starts in inside if starts)


@claims(
    "eigenvalues_linear",
    "Both eigenvalues start inside the unit circle. Can the gradient grow all the same?",
)
def as_it_opens(_):
    drawn = made("eigenvalues_linear").at().drawn
    assert np.hypot(*drawn["pair"]).max() < 1 < drawn["gradient"][1].max()


@claims("eigenvalues_linear", "Drag an eigenvalue, and play k.")
def drag_and_play(_):
    lab = made("eigenvalues_linear")
    assert '"drag":[0,1]' in lab.html and "gtt-play" in lab.html
    assert f'"play":{list(lab.controls).index("k")},' in lab.html


@claims(
    "eigenvalues_linear",
    "In the middle, k steps make an ellipse of the unit circle, and its longest radius is the norm "
    "on the right.",
)
def an_ellipse(states):
    inside = 0
    for state in states:
        power = powers(state)[int(state.settings["k"])]
        reach = state.limits["plane.x"][1]
        unit = reach * linear.GRID  # corners lie on a grid
        tip = np.array([axis[1] for axis in state.drawn["longest"]])
        corners = np.array(state.drawn["image"])
        here = state.drawn["here"][1][0]
        assert here == pytest.approx(np.linalg.norm(power, 2), rel=1e-9)
        if np.abs(corners).max() > reach * (1 - 2 * linear.GRID):
            assert here > reach * 0.99  # it leaves the panel, and ends at its border
            continue
        inside += 1
        assert abs(np.hypot(*tip) - here) < unit
        gram = power @ power.T  # the image is {p: pᵀ (W Wᵀ)⁻¹ p = 1}: its support is √(nᵀ W Wᵀ n)
        for n in np.exp(1j * np.linspace(0, np.pi, 7)):
            n = np.array([n.real, n.imag])
            support = np.sqrt(n @ gram @ n)
            assert 0.97 * support - unit < (n @ corners).max() < support + unit, state.settings
    assert inside > 0.8 * len(states)


@claims(
    "eigenvalues_linear",
    "With eigenvectors at 90° the norm is ρᵏ; the narrower their angle, the higher it climbs "
    "above.",
)
def the_narrower(states):
    peaks = {}
    for state in a_state_each(states):
        radius, angle, between = keys(state)
        peaks.setdefault((radius, angle), {})[between] = (norms(state) / radius**LAGS).max()
    for found in peaks.values():
        assert found[90.0] == pytest.approx(1, abs=1e-9)
        heights = [found[between] for between in sorted(found)]
        assert (np.diff(heights) < -0.1).all()


@claims(
    "eigenvalues_linear",
    "It never passes σᵏ, the largest singular value to the power k.",
)
def never_passes(states):
    for state in a_state_each(states):
        sigma = np.linalg.svd(powers(state)[1])[1][0]
        assert (norms(state) <= sigma**LAGS * (1 + 1e-9)).all()
        np.testing.assert_allclose(state.drawn["bound"][1], sigma ** np.array([0, 30]), rtol=1e-9)
        np.testing.assert_allclose(state.drawn["gradient"][1], norms(state), rtol=1e-9)


@claims(
    "eigenvalues_linear",
    "The dotted lines are the eigenvectors; for a pair, the ellipse on which the top of the circle "
    "would turn if ρ were 1.",
)
def dotted(states):
    for state in a_state_each(states):
        radius, angle, between = keys(state)
        x, y = (v[np.isfinite(v)] for v in state.drawn["ways"])
        W = powers(state)[1]
        if angle > 0:
            assert np.hypot(x, y - 1).min() < 1e-9  # through the top of the circle
            turned = W @ np.array([x, y]) / radius
            half = np.tan(np.deg2rad(between) / 2)
            for px, py in ((x, y), turned):
                np.testing.assert_allclose((px * half) ** 2 + py**2, 1, rtol=1e-9)
        else:
            cross = x * (W @ np.array([x, y]))[1] - y * (W @ np.array([x, y]))[0]
            np.testing.assert_allclose(cross, 0, atol=1e-9)
            first, second = np.array([x[0], y[0]]), np.array([x[2], y[2]])
            cosine = abs(first @ second) / np.hypot(*first) / np.hypot(*second)
            assert np.rad2deg(np.arccos(cosine)) == pytest.approx(between)


@claims("eigenvalues_linear", "readout")
def readout(states):
    for state in states:
        said, norm = parse(READS, state.sentence), norms(state)
        radius, angle, _ = keys(state)
        k = int(state.settings["k"])
        assert int(said["k"]) == k and near(said["here"], norm[k])
        if said["lag"]:
            lag = int(said["lag"])
            assert near(said["peak"], norm[lag])
            assert (norm <= norm[lag] * (1 + 2e-6)).all() and (norm[:lag] < norm[lag]).all()
        else:
            assert norm.max() < 1 + 1e-5
        swing = norm / radius**LAGS
        if said["stays"]:
            assert near(said["stays"], swing.max()) and swing.min() > 1 - 1e-9
            assert near(said["half"], 180 / angle)
            touch = int(180 / angle)
            assert 180 % angle or swing[touch] == pytest.approx(1)
        elif said["tends"]:
            assert near(said["tends"], swing[-1])
        else:
            np.testing.assert_allclose(swing, 1, rtol=1e-9)
        if said["neither"]:
            assert radius == 1
        else:
            assert ("vanishing" in said["word"]) == (radius < 1)
            assert near(said["steps"], np.log(2) / abs(np.log(radius)))


@pytest.mark.parametrize(
    ("radius", "angle", "between"),
    [(0.9, 40.0, 90.0), (1.05, 130.0, 16.0), (1.0, 6.0, 16.0), (0.9, -50, 35.0), (0.8, -20, 60.0)],
)
def test_the_matrix_has_the_eigenvalues_and_eigenvectors_asked_for(radius, angle, between):
    W = linear.matrix(*(np.array([v]) for v in (radius, angle, between)))[0]
    values, vectors = np.linalg.eig(W)
    turn = np.deg2rad(angle)
    want = [np.exp(1j * turn), np.exp(-1j * turn)] if angle > 0 else [1, -angle / 100]
    by_place = lambda v: (round(v.real, 9), round(v.imag, 9))  # noqa: E731
    np.testing.assert_allclose(
        sorted(values.astype(complex), key=by_place),
        sorted(radius * np.array(want, complex), key=by_place),
        rtol=1e-12,
    )
    cosine = abs(np.vdot(vectors[:, 0], vectors[:, 1]))
    np.testing.assert_allclose(np.rad2deg(np.arccos(np.clip(cosine, 0, 1))), between, atol=1e-6)


def test_norm_bound_and_rate_light_up_with_the_text_that_speaks_of_them():
    text = made("eigenvalues_linear")._html
    for gid, key in (("gradient", "norm"), ("bound", "bound"), ("rate", "rate")):
        assert len(re.findall(rf'<g id="[\w-]+-{gid}" class="part-{key}">', text)) == 1
        assert text.count(f"part-{key}") == 1
