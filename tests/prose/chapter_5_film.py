"""Sentences of chapter 5 about the training film."""

import numpy as np

from bptt_core.studies import film as study
from prose import lab, says

FILM = "#lab=training-film"


def frame(cell, update, window="30"):
    """What is stored of a network after some updates, with its outermost modulus."""
    held = study.stored()[cell, "clipped", window]
    found = {name: values[study.FRAMES.index(update)] for name, values in held.items()}
    return found | {"reach": np.hypot(*found["eigenvalues"]).max()}


@says(
    "chapters/05",
    f"[At update 60]({FILM}&update=60) the loss is {{early:.3f}}, and [at update 180]({FILM}) it "
    "is {late:.3f}. In between the outermost eigenvalue has moved from {near:.2f} to {far:.2f}, "
    "and {times:.0f} times as much of the gradient arrives {lag} steps back. "
    f"[At update 220]({FILM}&update=220) the eigenvalue is at {{there:.2f}}, and the loss at "
    "{fallen:.2f}.",
)
def while_the_loss_lies_flat():
    early, late, after = (frame("LSTM 1", update) for update in (60, 180, 220))
    assert lab("training_film").settings["update"] == 180
    return {
        "early": early["loss"],
        "late": late["loss"],
        "near": early["reach"],
        "far": late["reach"],
        "times": 10 ** (late["arrives"][-1] - early["arrives"][-1]),
        "lag": study.LAGS[-1],
        "there": after["reach"],
        "fallen": after["loss"],
    }


@says(
    "chapters/05",
    f"[With a forget bias of 3]({FILM}&network=lstm3&update=0) an eigenvalue is at the circle "
    "before training, and the loss falls at once. "
    f"[With 0]({FILM}&network=lstm0&update=400) the outermost moves from {{start:.2f}} to "
    "{end:.2f}, away from the circle, and the loss stays.",
)
def where_the_eigenvalues_begin():
    assert abs(frame("LSTM 3", 0)["reach"] - 1) < 0.02
    assert frame("LSTM 3", 20)["loss"] < 0.95 * study.GUESS and study.FRAMES[1] == 20
    loss = np.array(study.stored()["LSTM 0", "clipped", "30"]["loss"])
    assert np.abs(loss - study.GUESS).max() < 0.02
    return {"start": frame("LSTM 0", 0)["reach"], "end": frame("LSTM 0", 400)["reach"]}


@says(
    "chapters/05",
    "In {all} LSTMs, {each} of each bias, an eigenvalue reached 0.93 in all {fell} whose loss fell "
    "by a tenth or more, and in none of the other {others}.",
)
def they_go_together():
    lstms = [found for cell, found in study.stored_crowd().items() if cell != "RNN"]
    fell = np.concatenate([found["fell"] for found in lstms]) >= 0
    assert ((np.concatenate([found["reach"] for found in lstms]) >= 0.93) == fell).all()
    return {
        "all": len(fell),
        "each": study.NETWORKS,
        "fell": fell.sum(),
        "others": (~fell).sum(),
    }


@says(
    "chapters/05",
    "of {n} RNNs the loss fell in {fell}, in one of them with no eigenvalue beyond {least:.2f}. "
    f"[The RNN of the film]({FILM}&network=rnn&update=400) has learnt with its outermost at "
    "{reach:.2f}. It drove its units into the flat ends of tanh, and the mean slope has fallen "
    "from {fresh:.2f} to {trained:.2f}.",
)
def rnns_do_otherwise():
    found = study.stored_crowd()["RNN"]
    fell = found["fell"] >= 0
    fresh, trained = (frame("RNN", update) for update in (0, 400))
    assert trained["right"] > 0.95 and trained["factors"][0] > 4 * fresh["factors"][0]
    return {
        "n": len(fell),
        "fell": fell.sum(),
        "least": found["reach"][fell].min(),
        "reach": trained["reach"],
        "fresh": fresh["mean"],
        "trained": trained["mean"],
    }
