"""What a page tells of questions: `again` at its start, `summary` at its end, `score` of its
challenges, `progress` of all."""

from bptt_core.ask.question import EXPORT, Element, knob, script

OFF = '<p class="gtt-ask-note">Your answers are listed here by a script, which is off.</p>'
PROGRESS = f"""<div class="gtt-ask-progress" data-ask="progress">
<p class="gtt-ask-tools">{knob("Save as a file", 'type="button" class="gtt-ask-export"')}
<label class="gtt-ask-file">Read from a file
<input type="file" accept="application/json,.json" class="gtt-ask-import"></label>
{knob("Forget all answers", 'type="button" class="gtt-ask-reset"')}</p>
<p role="status"></p><div>{OFF}</div></div>"""


def again():
    """Two questions of earlier pages that went wrong, to be answered once more; or nothing."""
    return Element(
        _html='<div class="gtt-ask-again" data-ask="again" hidden>'
        '<p class="gtt-ask-label">Once more, from before</p>'
        "<p>These went wrong when you met them.</p><div></div></div>"
    )


def summary():
    """The questions of this page: what you expected, and what was so."""
    return Element(
        _html='<div class="gtt-ask-summary" data-ask="summary">'
        f'<p class="gtt-ask-label">What you expected, what was so</p><div>{OFF}</div></div>'
    )


class _Progress(Element):
    _script = script(progress=True)
    _esm = _script + EXPORT


def score():
    """The challenges of this page, and how many of their points the reader has."""
    return _Progress(
        _html='<div class="gtt-ask-score" data-ask="score">'
        f'<p class="gtt-ask-label">Challenges of this page</p><div>{OFF}</div></div>'
    )


def progress():
    """Every question of the course; the answers as a file, out and in; and away with them."""
    return _Progress(_html=PROGRESS)
