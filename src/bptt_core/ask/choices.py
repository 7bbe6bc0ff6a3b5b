"""Pick one: `choice` of a few answers, `wrong_line` of a few lines of code."""

from bptt_core._checks import wanted
from bptt_core.ask.question import Question
from bptt_core.ask.text import plain, rich


def choice(name, question, options, right, *, answer=None, was=None, **more):
    """A question with a few answers, each with a sentence.

    options  {what can be picked: what is said then}. For a wrong pick: why it tempts, and what is
             so
    right    the one of them that is right
    answer   the solution; by default the right pick and its sentence
    **more   hints, reveals, label, solved: see `Question`

    Raises ValueError for fewer than two options, a pick without a sentence, and a `right` that is
    none of them."""
    _check(options, right)
    picks = [_pick(i, rich(option)) for i, option in enumerate(options)]
    return Question(
        "choice",
        name,
        question,
        f'<div class="gtt-ask-picks">{"".join(picks)}</div>',
        {"right": list(options).index(right), "said": [rich(said) for said in options.values()]},
        answer=answer or f"*{right}*. {options[right]}",
        was=was or right,
        **more,
    )


def wrong_line(name, question, lines, wrong, *, answer=None, **more):
    """Code in which one line is wrong: the reader picks it.

    lines   {line of code: what is said when it is picked}
    wrong   the wrong one of them

    Raises what `choice` raises."""
    _check(lines, wrong)
    picks = [_pick(i, f"<code>{_code(line)}</code>") for i, line in enumerate(lines)]
    number = list(lines).index(wrong)
    return Question(
        "choice",
        name,
        question,
        f'<div class="gtt-ask-picks gtt-ask-code">{"".join(picks)}</div>',
        {"right": number, "said": [rich(said) for said in lines.values()]},
        answer=answer or f"Line {number + 1}: `{wrong.strip()}`. {lines[wrong]}",
        was=f"line {number + 1}: `{wrong.strip()}`",
        **more,
    )


def _check(options, right):
    if len(options) < 2:
        raise wanted("options", f"{len(options)} of them", "two or more")
    if right not in options:
        raise wanted("right", repr(right), f"one of {[plain(option) for option in options]}")
    if silent := [option for option, said in options.items() if not said.strip()]:
        raise wanted("options", f"no sentence for {silent[0]!r}", "one for each")


def _pick(i, html):
    more = 'data-lm-suppress-shortcuts="true"'
    return f"""<label><input type="radio" name="{{uid}}" value="{i}" {more}>
<span>{html}</span></label>"""


def _code(line):
    return line.replace("&", "&amp;").replace("<", "&lt;")
