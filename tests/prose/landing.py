"""Sentences of the landing page and the README."""

import json
import re

import numpy as np
import yaml

from bptt_core.studies import first_letter, long_gradient
from prose import ROOT, lab, pages, power, says


@says(
    "README.md",
    "stand in a ledger, {entries} entries, each with a verdict. Behind {run} of them "
    "something runs;",
)
@says(
    "book/intro.md",
    "stand in a [ledger](claims.md) of {entries} entries, each with a verdict. Behind "
    "{run} of them something runs;",
)
def ledger():
    entries = yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8"))
    assert all(entry["verdict"] for entry in entries)
    return {"entries": len(entries), "run": sum(bool(entry.get("evidence")) for entry in entries)}


@says("README.md", "The sources contain dozens of slips;")
def dozens():
    entries = yaml.safe_load((ROOT / "book" / "claims.yml").read_text(encoding="utf-8"))
    assert sum(entry["verdict"] in ("slip", "wrong") for entry in entries) >= 48
    return {}


def know(cell, update):
    """How many of the stored networks know the first letter after some updates."""
    right = first_letter.stored()[cell]["right"][:, first_letter.MOMENTS.index(update)]
    return int((right / first_letter.FRESH > 0.95).sum())


@says(
    "book/intro.md",
    "[After 150 updates](#lab=two-lanes) {lstm} of {n} LSTMs with a forget bias of 3 know the "
    "letter, and {rnn} of {n} RNNs.",
)
def after_150_updates():
    state = lab("two_lanes")
    assert state.settings == {"forget_bias": 3, "update": 150, "network": 2}
    lstm, rnn = know("LSTM 3", 150), know("RNN", 150)
    assert f"*{rnn}* RNNs and *{lstm}* LSTMs know" in state.sentence
    return {"lstm": lstm, "rnn": rnn, "n": first_letter.NETWORKS}


@says(
    "book/intro.md",
    "Those {few} are not among the five shown: their gradient at the first letter is {low:.1f} to "
    "{high:.0f} times that at the last step, and in the median of the other {others} it is "
    "${median}$ times that.",
)
def rnns_that_know():
    held, moment = first_letter.stored()["RNN"], first_letter.MOMENTS.index(150)
    right = held["right"][:, moment] / first_letter.FRESH > 0.95
    arrives = 10 ** held["arrives"][:, moment]
    assert first_letter.SHOWN == 5 and not right[:5].any()
    return {
        "few": right.sum(),
        "low": arrives[right].min(),
        "high": arrives[right].max(),
        "others": (~right).sum(),
        "median": power(np.median(arrives[~right])),
    }


@says(
    "book/intro.md",
    "In the RNN training itself made the message fainter: after 400 updates in {fainter} of {many} "
    "networks, these and a hundred more.",
)
def training_made_it_vanish():
    (row,) = long_gradient.rows("arrival", cell="RNN", length=30)
    assert row["trained"][-1][1] < row["fresh"][-1][1] / 10  # the medians too
    assert row["n"] == first_letter.NETWORKS + 100  # seeds from 0 on in both
    return {"fainter": row["less arrives"], "many": row["n"]}


@says(
    "book/intro.md",
    "[With a forget bias of 0](#lab=two-lanes&forget_bias=0) none of {n} learns it in 400 updates, "
    "and as both are drawn here its gradient fades even faster than the RNN's before training, in "
    "{faster} of {n}.",
)
def bias_0():
    assert know("LSTM 0", 400) == 0
    fresh = [first_letter.stored()[cell]["arrives"][:, 0] for cell in ("LSTM 0", "RNN")]
    return {"n": first_letter.NETWORKS, "faster": int((fresh[0] < fresh[1]).sum())}


@says(
    "book/intro.md",
    "After 400 updates on a gradient that is cut off after ten steps, {cut} of {n} LSTMs with a "
    "bias of 3 knows the letter; with the whole gradient {whole} of {n} do.",
)
def cut_off():
    found = {}
    for name, window in (("cut", 10), ("whole", None)):
        (row,) = long_gradient.rows(
            "atlas", task="letter, first", length=30, cell="LSTM 3", window=window
        )
        found |= {name: sum(update <= 400 for update in row["updates"]), "n": row["n"]}
    return found


@says(
    "book/intro.md",
    "[Take the figure above back to the fresh networks](#lab=two-lanes&update=0) and press Play.",
)
def back_to_the_start():
    assert lab("two_lanes", update=0).sentence.startswith("Before training")
    return {}


@says(
    "book/intro.md",
    "It is at most 1: where a message grows on its way back, as in the LSTM above,",
)
def grows_on_its_way():
    held = first_letter.stored()["LSTM 3"]["shares"][1, first_letter.MOMENTS.index(150)]
    assert 10 ** held[0] > 1 == 10 ** held[-1]
    return {}


@says("book/intro.md", "step 1 what was wrong at step {last}")
def length():
    return {"last": first_letter.LENGTH}


FOLDED = {"hide-input", "hide-cell", "remove-input", "remove-cell"}


def minutes(chapter):
    """What it takes to read a chapter and to answer it.

    200 words a minute, three seconds for a line of code that is seen, one minute for a question."""
    cells = json.loads(pages()[chapter].read_text(encoding="utf-8"))["cells"]
    text = {"markdown": "", "code": ""}
    questions = 0
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" or not FOLDED & set(cell["metadata"].get("tags", ())):
            text[cell["cell_type"]] += source + "\n"
        questions += bool(re.search(r"^(?:\w+ = )?ask\.\w+\($", source, re.M))
    read = len(text["markdown"].split()) / 200 + len(text["code"].splitlines()) / 20
    return read + questions


def reading_time(chapter):
    """What the landing page says; if that is far off, what it should say."""
    landing = (ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    said = int(re.search(rf"/{chapter[-2:]}_.*?\| (\d+) min \|", landing)[1])
    return {"minutes": said if 0.7 < minutes(chapter) / said < 1.4 else round(minutes(chapter))}


def declare_reading_time(chapter, text):
    says("book/intro.md", f"| {text} | {{minutes}} min |")(lambda: reading_time(chapter))


def declare_in_chapter(chapter):
    text = "Reading and answering takes about {minutes} minutes."
    says(chapter, text)(lambda: reading_time(chapter))


declare_in_chapter("chapters/03")
declare_in_chapter("chapters/04")
declare_in_chapter("chapters/05")
declare_reading_time("chapters/01", "M. M. Arat's post")
declare_reading_time("chapters/02", "S. Liu's note")
declare_reading_time("chapters/05", "the labs")
declare_reading_time("chapters/03", "N. Arbel's article")
declare_reading_time("chapters/04", "the slides of Module 15.3")
declare_reading_time("chapters/05", "the labs")
