"""Code that the reader writes, checked by Python: in a kernel, or in the page once a Python runs
there. `code`."""

import inspect
import textwrap
from html import escape

from bptt_core.ask.question import Question, knob


class Code(Question):
    """A question whose answer is code.

    With a kernel the check runs in it. A page without one asks its own Python, if it has it:
    `gttPython.run({setup, code, check})`, where `check` leaves {right, said} as JSON in `checked`.
    Without either the reader copies all three to a notebook."""

    def __init__(self, name, question, starter, setup, check, *, answer, **more):
        self._setup = textwrap.dedent(setup).strip()
        self._check = check
        lines = starter.strip("\n").count("\n") + 3
        code = escape(starter.strip("\n"), quote=False)
        form = f"""<label class="gtt-unseen" for="{{uid}}-code">Your code</label>
<textarea id="{{uid}}-code" rows="{lines}" spellcheck="false" autocapitalize="off"
 autocomplete="off" data-lm-suppress-shortcuts="true">{code}</textarea>
<p class="gtt-ask-tools">{knob("Start again", 'type="button" class="gtt-ask-reset"')}
{knob("Copy to a notebook", 'type="button" class="gtt-ask-copy"')}</p>"""
        spec = {"setup": self._setup, "check": _source(check)}
        more.setdefault("label", "Write it")
        super().__init__(
            "code",
            name,
            question,
            form,
            spec,
            button="Check",
            answer=answer,
            was="code that passes the check",
            **more,
        )
        self.on_msg(self._hear)

    def _hear(self, _, content, buffers):
        if content.get("gtt") == "check":
            self.send({"gtt": "checked"} | self.judge(content["code"]))

    def judge(self, code):
        """What the check says of `code`: {right, said}."""
        names = {}
        try:
            exec(self._setup, names)
            exec(code, names)
            right, said = self._check(names)
        except (Exception, SystemExit) as error:  # whatever it raises is what the reader is told
            return {"right": False, "said": [f"{type(error).__name__}: {error}"]}
        return {"right": bool(right), "said": [said] if isinstance(said, str) else list(said)}


def code(name, question, starter, setup, check, *, answer, **more):
    """A question whose answer is code.

    starter  the code that the reader begins with
    setup    code that runs before it: imports, a small network
    check    {names of the reader's code} → (whether it is right, a sentence or several); a
             function whose source is all that it needs besides `setup`
    answer   the solution
    **more   hints, reveals, label, solved: see `Question`

    Raises OSError if the source of `check` cannot be read."""
    return Code(name, question, starter, setup, check, answer=answer, **more)


def _source(check):
    """The check as code that follows the reader's: it leaves the verdict in `checked`."""
    source = textwrap.dedent(inspect.getsource(check)).strip()
    return f"""{source}

import json
right, said = {check.__name__}(globals())
said = [said] if isinstance(said, str) else list(said)
checked = json.dumps({{"right": bool(right), "said": said}})
print(*said, sep="\\n")"""
