"""Follow a path: at every setting of the page the graph's numbers are those of the network, and its
24 paths add up to the exact gradient."""

import gzip
import itertools
import json
import re
from collections import Counter

import numpy as np
import pytest

from bptt_core import diagrams, follow, jacobians, lstm, plotting
from bptt_core.ask.text import rich
from bptt_core.follow import element, graph, roads

SETTINGS = list(itertools.product(element.ROADS, element.W_G, element.W_O))


@pytest.fixture(scope="module")
def html():
    return follow.paths()._html


@pytest.fixture(scope="module")
def spec(html):
    return json.loads(re.search(r'class="gtt-data"[^>]*>(.*?)</script>', html, re.S)[1])


def carried(spec, k, word):
    """What a path carries at setting number k, from the page's numbers alone."""
    now = np.unravel_index(k, spec["sizes"])
    factors = [spec["edges"][letter][:2] for letter in word]
    return np.prod([at[min(now[axis], len(at) - 1)] for axis, at in factors])


def moved(name, w_g, w_o, steps):
    """∂L/∂c_{T−steps} by a complex step: the cell is moved, its output gate held, the network runs
    on; L = 2 h_T."""
    params, cache = roads.network(name, np.array([w_g]), np.array([w_o]))
    params = lstm.Params(*(part[0] for part in params))
    c = cache.c[1, 0] + 1e-30j
    h = cache.o[0, 0] * np.tanh(c)
    for _ in range(steps):
        h, c = lstm.step(params, np.zeros((1, 1)), h, c)
    return 2 * h.item().imag / 1e-30


def test_the_paths_of_the_page_add_up_to_what_moving_the_cell_does_at_every_setting(spec):
    assert len(SETTINGS) == np.prod(spec["sizes"]) == len(spec["exact"]) == len(spec["said"])
    for k, setting in enumerate(SETTINGS):
        total = sum(carried(spec, k, word) for word in spec["paths"])
        truth = moved(*setting, steps=roads.T - 1)
        assert total == pytest.approx(truth, rel=1e-7, abs=1e-8)
        assert spec["exact"][k] == pytest.approx(truth, rel=1e-8, abs=1e-12)


def test_the_families_of_the_page_are_those_of_the_package_at_every_setting(spec):
    for k, (name, w_g, w_o) in enumerate(SETTINGS):
        params, cache = roads.network(name, np.array([w_g]), np.array([w_o]))
        families = jacobians.path_families(params, cache, dh=[[[2.0]]])
        for kind, family in enumerate(families):
            words = [word for word, own in spec["paths"].items() if own == str(kind)]
            total = sum(carried(spec, k, word) for word in words)
            assert total == pytest.approx(family[2].item(), rel=1e-7, abs=1e-8)
        four = jacobians.products(sum(jacobians.cell_terms(params, cache)))[2].item()
        tau = lstm.output_derivative(cache)[-1].item()
        assert spec["four"][k] == pytest.approx(2 * tau * four, rel=1e-8, abs=1e-12)


def test_the_four_terms_know_the_sixteen_paths_that_visit_no_output_gate(spec, html):
    without = [word for word, kind in spec["paths"].items() if kind in "01"]
    through_o = {letter for edge, letter in graph.LETTERS.items() if "o" in edge[0] + edge[1]}
    assert len(without) == 16 and "the 16 paths that visit no o" in html
    for word, kind in spec["paths"].items():
        assert bool(set(word) & through_o) == (kind in "23")
    missed = [kind for kind in spec["kinds"] if "missed by the four terms" in kind]
    assert missed == spec["kinds"][2:]


def test_each_arrow_carries_a_difference_quotient_of_the_two_it_joins():
    """∂⁺: the one moved a little, all else held."""
    params, cache = roads.network("all", np.array([1.0]), np.array([-6.0]))
    edges, eps = roads.edges(params, cache), 1e-6
    i, f, g, o = cache.gates[-1, 0, 0, :, 0]
    h, c = cache.h[-1].item(), cache.c[-1].item()
    a = np.log([i / (1 - i), f / (1 - f), 1, o / (1 - o)])
    a[2] = np.arctanh(g)
    now = {"i": i, "f": f, "g": g, "o": o}

    def gate(name, moved_h):
        k = "ifgo".index(name)
        pre = a[k] + params.W_hh[0, k, 0] * (moved_h - h)
        return np.tanh(pre) if name == "g" else 1 / (1 + np.exp(-pre))

    def cell(c=c, f=f, i=i, g=g):
        return f * c + i * g

    def slope(function):
        return (function(eps) - function(-eps)) / (2 * eps)

    wanted = {
        ("h_3", "c_3"): slope(lambda e: o * np.tanh(c + e)),
        ("h_3", "o_3"): slope(lambda e: (o + e) * np.tanh(c)),
        ("c_3", "c_2"): slope(lambda e: cell(c=c + e)),
    }
    for name in "fig":
        wanted["c_3", f"{name}_3"] = slope(lambda e, n=name: cell(**{n: now[n] + e}))
    for name in "figo":
        wanted[f"{name}_3", "h_2"] = slope(lambda e, n=name: gate(n, h + e))
    for edge, value in wanted.items():
        assert edges[edge].item() == pytest.approx(value, rel=1e-8, abs=1e-9)


def test_the_cell_rests_and_the_roads_carry_what_the_module_says():
    for name, w_g, w_o in SETTINGS:
        params, cache = roads.network(name, np.array([w_g]), np.array([w_o]), steps=22)
        terms = jacobians.cell_terms(params, cache)
        np.testing.assert_allclose(cache.c[:3], roads.C, rtol=0, atol=1e-12)
        assert terms.B[2].item() == pytest.approx(0.5, abs=1e-12)
        assert terms.D[2].item() == pytest.approx(w_g / 4, abs=1e-12)
        for term in (terms.A, terms.C):
            assert term[2].item() == pytest.approx(0.1 if name == "all" else 0, abs=1e-12)


@pytest.mark.parametrize(
    ("w_g", "path", "gradient"), [(2, "9.5", "1"), (-2, "9.5", "0"), (-5.6, "837", "0.12")]
)
def test_the_two_path_cell_says_the_numbers_of_the_slides(spec, w_g, path, gradient):
    """Crumbs that add up to one, exact cancellation, 837 against 0.12 (`C09`, `C10`)."""
    said = spec["said"][SETTINGS.index(("g", w_g, 0))]
    assert re.search(rf"the path via g {re.escape(path)}\b", said)
    assert said.endswith(f"and the gradient is <strong>{gradient}</strong>.")
    assert 2.0**-20 == pytest.approx(9.5e-7, rel=0.01)


def test_every_sentence_holds_the_numbers_of_its_setting(spec):
    for k, (name, w_g, w_o) in enumerate(SETTINGS):
        said = re.sub(r"<sup>(.*?)</sup>", r"^\1", spec["said"][k])
        said = re.sub(r"<sub>.*?</sub>|<.*?>", "", said).replace("−", "-").replace(" × 10^", "e")
        found = [float(x) for x in re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e-?\d+)?", said)]
        each = [carried(spec, k, word) for word in spec["paths"]]
        params, cache = roads.network(name, np.array([w_g]), np.array([w_o]), steps=22)
        far = jacobians.path_families(params, cache, dh=[[[2.0]]]).total[20].item()
        same = "the four terms say the same" in said
        assert same == (abs(spec["exact"][k] - spec["four"][k]) < 1e-9)
        wanted = [
            spec["exact"][k],
            *([] if same else [spec["four"][k]]),
            np.count_nonzero(each),
            24,
        ]
        wanted += [max(each, key=abs), 20, 0.5**20, (w_g / 4) ** 20, far]
        np.testing.assert_allclose(found, wanted, rtol=0.051, atol=1e-12)


def test_the_ways_on_lead_to_every_path_once(spec):
    def ends(path):
        on = spec["ways"].get(path)
        return [path] if on is None else [end for way in on for end in ends(way)]

    (start, *_), words = spec["ways"], spec["paths"]
    assert sorted(ends(start)) == sorted(words) and len(words) == len(roads.PATHS) == 24
    assert all(len(on) > 1 for on in spec["ways"].values()), "a stop is a choice"
    assert [list(words.values()).count(kind) for kind in "0123"] == [1, 15, 1, 7]


def test_the_page_without_a_script_holds_every_path_with_its_factors_and_product(html):
    rows = re.findall(
        r'<tr><th scope="row">(.*?)</th><td[^>]*>(.*?)</td><td>(.*?)</td><td>(.*?)</td>', html
    )
    assert len(rows) == 24 and rows[0] == (
        "L ← h₃ ← c₃ ← c₂ ← c₁",
        "cell only",
        "2 · 0.500 · 0.500 · 0.500",
        "0.250",
    )
    for _, _, factors, product in rows:
        told = np.prod([float(each) for each in factors.split(" · ")])
        assert told == pytest.approx(float(product), rel=0.01, abs=1e-9)


def test_the_figure_is_light(html):
    assert len(gzip.compress(html.encode())) < 10_000
    assert len(gzip.compress(element.SCRIPT.encode())) < 2_300


def test_the_roads_of_both_graphs_have_the_same_keys(html):
    """By which a text lights them up: on each step one arrow in the cell, two through each gate."""
    drawn = plotting.svg(diagrams.dependency_graph(), "two steps")
    for graph_ in (drawn, graph.svg().replace("gtt-arrow ", "")):
        found = Counter(re.findall(r'<g[^>]* class="part-([a-z-]+)"', graph_))
        assert found == {"cell": 2, **{f"via-{gate}": 4 for gate in "figo"}}
    families = Counter(
        re.findall(r'class="part-(cell-only|through-gates|output-only|mixed)"', html)
    )
    assert families == {"cell-only": 2, "through-gates": 16, "output-only": 2, "mixed": 8}


def test_the_figure_can_be_asked_and_says_what_the_page_says(spec):
    figure = follow.paths()
    for k, (name, w_g, w_o) in list(enumerate(SETTINGS))[::7]:
        found = figure.at(roads=name, w_g=w_g, w_o=w_o)
        assert rich(found.sentence) == spec["said"][k]
        assert found.exact == pytest.approx(found.paths.sum(), rel=1e-12, abs=1e-12)
    assert figure.at(w_g=-5.6).far == pytest.approx([0.9**20, 0.5**20, 1.4**20], rel=1e-9)
    for w_g, gradient in ((2, 1), (-2, 0)):
        assert figure.at(w_g=w_g).exact == pytest.approx(gradient, rel=1e-14, abs=1e-15)
    for wrong in ({"w_g": 2.5}, {"bias": 1}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}: got"):
            figure.at(**wrong)
