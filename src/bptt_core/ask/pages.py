"""What a page tells of its questions: `again` at its start, `summary` at its end, `progress` for the whole course."""

from bptt_core.ask.question import Element, knob, script


def again():
    """Two questions of earlier pages that went wrong, to be answered once more. Nothing, if there are none."""
    return Element(
        _html='<div class="gtt-ask-again" data-ask="again" hidden><p class="gtt-ask-label">Once more, from before</p>'
        "<p>These went wrong when you met them.</p><div></div></div>"
    )


def summary():
    """The questions of this page: what you expected, and what was so."""
    return Element(
        _html='<div class="gtt-ask-summary" data-ask="summary"><p class="gtt-ask-label">What you expected, what was so</p>'
        '<div><p class="gtt-ask-note">Your answers are listed here by a script, which is off.</p></div></div>'
    )


class _Progress(Element):
    _esm = script(progress=True) + "export default { render: globalThis.gttAsk.render };\n"


def progress():
    """Every question of the course, what was expected and what was so; the answers as a file, out and in; reset."""
    return _Progress(_html=PROGRESS)


PROGRESS = f"""<div class="gtt-ask-progress" data-ask="progress">
<p class="gtt-ask-tools">{knob("Save as a file", 'type="button" class="gtt-ask-export"')}
<label class="gtt-ask-file">Read from a file <input type="file" accept="application/json,.json" class="gtt-ask-import"></label>
{knob("Forget all answers", 'type="button" class="gtt-ask-reset"')}</p>
<p role="status"></p><div><p>Your answers are listed here by a script, which is off.</p></div></div>"""
