"""The ledger's schema: `book/claims.yml` is read by the page (`claims`) and by the tests.

An entry is one statement of one source:

    id         A32, D-eq7: the letter of the source first, never used again for anything else
    source     A, B, C or D
    where      lines of the text that we worked from: `l.96` or `l.64–66, 130`
    place      the same for a reader: section, first words, number of the equation
    kind       equation (a displayed one), claim, history, or text (wording, nothing to run)
    lines      only for an equation: [first, last], or a list of such pairs
    claim      what the source says, in our words and fairly
    verdict    see VERDICTS
    condition  only for "holds if": what must be added, or how it must be read
    right      what is right, where that is not the claim itself
    shows      the number that shows it; empty where there is none: a definition, or nothing to run
    weight     only for slip, wrong and approximation: see WEIGHTS
    matters    true for the ten of a source that whoever reads it should know first
    exact      numbers of `condition` and `right` that belong to a formula or a title
    evidence   what backs it: `tests/claims/….py::test_…`, or `chapters/….ipynb#cell` which prints
               the numbers of `shows` or none
    retold     cells which make the same point with other numbers: another network, another measure

How to add one. Write the entry; `place` quotes at most a few words. Write a test in `tests/claims`
that would fail if the claim were otherwise, and let it say every number that the entry prints:
`shown("A22", value, "0.454")` asserts that the value rounds to the text, and that `shows` prints
the text; `within("A22", error, "1e-12")` does it for a bound. Integers, fractions, number words
(six, twice, half) and, in `shows`, "any", "always", "never" count as numbers. In `condition` and
`right` 0 and 1 are free; for other numbers the test adds `where="right"`, or `exact` lists them.
For a general statement use at least 200 random networks and print the share or the median. A
displayed equation also needs its line in `tests/claims/displayed_equations`.

The texts of the sources are not part of the repository: the tests which read them run where the
environment variable GTT_SOURCES names their folder.
"""

import re

import yaml

SOURCES = {
    "A": "Source A: M. M. Arat",
    "B": "Source B: N. Arbel",
    "C": "Source C: Module 15.3",
    "D": "Source D: S. Liu",
}
KINDS = ("equation", "claim", "history", "text")
VERDICTS = {
    "holds": "true as it is printed. A definition holds, whatever its letters.",
    "holds if": "true under a condition that the source does not state there, or in one of several"
    " readings.",
    "slip": "an index, a letter, a transpose or a word is off; the idea is right.",
    "wrong": "it does not hold.",
    "approximation": "near the truth under conditions, with an error that is given.",
    "open": "the source leaves it open, or our copy is damaged; we close it where we can.",
}
JUDGED = ("slip", "wrong", "approximation")  # these have a weight
WEIGHTS = {
    1: "wording: nobody who calculates is misled",
    2: "misleads: who takes it at its word expects something that does not happen",
    3: "wrong result: who computes by it gets another number",
}
TEXTS = ("id", "source", "where", "place", "kind", "claim", "verdict")  # never empty
MAY_BE_EMPTY = ("right", "shows", "evidence")
OPTIONAL = ("lines", "condition", "weight", "matters", "exact", "retold")
ID = r"[A-D](?:-(?:eq|x))?\d+[a-z]?"

WORDS = dict.fromkeys(("zero",), 0.0)
WORDS |= {
    word: float(number)
    for number, word in enumerate(
        "two three four five six seven eight nine ten eleven twelve".split(), start=2
    )
}
WORDS |= {"twenty": 20.0, "thirty": 30.0, "fifty": 50.0, "hundred": 100.0, "thousand": 1000.0}
WORDS |= {"half": 0.5, "quarter": 0.25, "tenth": 0.1}
WORDS |= {"twice": 2.0, "thrice": 3.0}
UNIVERSAL = ("any", "always", "never")  # true of all that were tried
WORDS |= dict.fromkeys(UNIVERSAL, 1.0)
FRACTIONS = {"½": 0.5, "¼": 0.25}
NO_NUMBERS = re.compile(
    rf"`[^`]*`|\b{ID}\b|\bl\.\d+(?:[-–]\d+)?"  # code, ids, lines
    r"|_\{[^}]*\}|_\w+|\^\([^)]*\)|\^[^\s,.;:]+|\(1 - \w+\)"  # indices, powers, the slope of σ
    r"|\b[Ee]q(?:uations?|\.)[ -]\(?\d+\)?(?:(?:[-–,]| to | and )\(?\d+\)?)*"  # equations
    r"|(?<= )\(\d\)(?=[ ,.;:]|$)"
)
NUMBER = re.compile(
    r"(?<![\w.])-?\d+(?:/\d+|(?:\.\d+)?(?:e-?\d+)?%?)(?!\w)"
    rf"|[{''.join(FRACTIONS)}]|\b(?:{'|'.join(WORDS)})\b",
    re.I,
)
MEASURED = re.compile(r"\.|e-?\d|%|/")
TOLERANCE = re.compile(r"1e-1\d")


def read_ledger(path):
    """The entries by id, in the file's order.

    ValueError: an entry breaks the schema; it is named, and how."""
    entries = {}
    found = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader) or []
    for number, entry in enumerate(found, start=1):
        label = entry.get("id") or f"number {number}"
        if trouble := faults(entry):
            raise ValueError(f"entry {label}: {'; '.join(trouble)}")
        if label in entries:
            raise ValueError(f"entry {label} stands twice")
        entries[label] = entry
    return entries


def faults(entry):
    """What is wrong with the form of an entry: a list of sentences, empty if nothing is."""
    verdict = entry.get("verdict")
    found = [f"`{name}` is missing or empty" for name in TEXTS if not entry.get(name)]
    found += [f"`{name}` is missing" for name in MAY_BE_EMPTY if name not in entry]
    known = {*TEXTS, *MAY_BE_EMPTY, *OPTIONAL}
    found += [f"there is no field `{name}`" for name in entry if name not in known]
    texts = [name for name in (*TEXTS, "condition", "right", "shows") if name in entry]
    found += [f"`{name}` is no text" for name in texts if not isinstance(entry[name], str)]
    if verdict and verdict not in VERDICTS:
        found.append(f"verdict {verdict!r}, wanted one of {', '.join(VERDICTS)}")
    if entry.get("kind") and entry["kind"] not in KINDS:
        found.append(f"kind {entry['kind']!r}, wanted one of {', '.join(KINDS)}")
    if not re.fullmatch(ID, str(entry.get("id"))) or str(entry["id"])[0] != entry.get("source"):
        found.append("an id is the source's letter and a number")
    if bool(entry.get("condition")) != (verdict == "holds if"):
        found.append("`condition` belongs to the verdict `holds if`, and to no other")
    if ("weight" in entry) != (verdict in JUDGED):
        found.append(f"`weight` belongs to {', '.join(JUDGED)}")
    if "weight" in entry and entry["weight"] not in WEIGHTS:
        found.append(f"weight {entry['weight']!r}, wanted one of {', '.join(map(str, WEIGHTS))}")
    if entry.get("matters", True) is not True:
        found.append("`matters` is true, or is not there")
    if verdict in (*JUDGED, "open") and not entry.get("right"):
        found.append("what is right is not said")
    if ("lines" in entry) != (entry.get("kind") == "equation"):
        found.append("`lines` belong to displayed equations")
    for name in ("evidence", "retold", "exact"):
        if not all(isinstance(each, str) for each in entry.get(name) or ()):
            found.append(f"`{name}` is a list of texts")
    return found


def spans(entry):
    """The source lines of the displayed equations of an entry, as a list of [first, last]."""
    lines = entry.get("lines", [])
    return lines if not lines or isinstance(lines[0], list) else [lines]


def numbers(text):
    """Every number of a text as it stands there, words in small letters; indices are none.

    >>> numbers("Six steps from h_0 leave -0.5, half of l.64, to 1e-12.")
    ['six', '-0.5', 'half', '1e-12']
    """
    return [found.lower() for found in NUMBER.findall(NO_NUMBERS.sub(" ", text.replace("−", "-")))]


def value_of(number):
    """(value, unit of its last digit) of a number as `numbers` finds it; 0 for words and
    fractions."""
    if number in WORDS or number in FRACTIONS:
        return (WORDS | FRACTIONS)[number], 0.0
    if "/" in number:
        above, below = number.split("/")
        return float(above) / float(below), 0.0
    digits = number.rstrip("%")
    scale = 0.01 if number.endswith("%") else 1.0
    mantissa, _, exponent = digits.partition("e")
    decimals = len(mantissa.partition(".")[2])
    return scale * float(digits), scale * 10.0 ** (int(exponent or 0) - decimals)


def agree(one, other):
    """Whether two numbers are one, to the digits of the coarser: 1.282 and 128%, 1.05e+06 and
    1.05e6.

    One digit is not enough to tell: 0.1 is 0.10 and not 0.076."""
    (a, unit_a), (b, unit_b) = value_of(one), value_of(other)
    if abs(a - b) <= 1e-12 * abs(a):
        return True
    unit = max(unit_a, unit_b)
    return abs(a - b) <= 0.5000001 * unit and min(abs(a), abs(b)) >= 9.5 * unit


def printed(output):
    """The numbers with a decimal point, an exponent or a percent sign in what a cell prints."""
    found = re.findall(r"(?<![\w.])[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?%?", output.replace("−", "-"))
    plain = [number.replace("e+", "e").lstrip("+").rstrip(".") for number in found]
    return [number for number in plain if MEASURED.search(number)]


def unbacked(entry, said, cells):
    """The numbers of an entry that nothing produces, as (field, number).

    said   {(field, number)} that its evidence said with `shown` and `within`
    cells  what the cited cells of chapters print"""
    from_cells = [number for text in cells for number in printed(text)]
    exact = {number.replace("−", "-").lower() for number in entry.get("exact", ())}
    loose = []
    for field in ("shows", "condition", "right"):
        for number in numbers(entry.get(field, "")):
            free = field != "shows" and (
                number in exact or number in ("0", "1", "zero", *UNIVERSAL)
            )
            if not free and (field, number) not in said:
                if field == "shows" and any(agree(number, other) for other in from_cells):
                    continue
                loose.append((field, number))
    used = {number for field in ("condition", "right") for number in numbers(entry.get(field, ""))}
    return loose + [("exact, but not in the text", number) for number in sorted(exact - used)]


def contradicts(entry, output):
    """Whether a cited cell prints numbers and none of them stands in `shows`: then it is
    `retold`."""
    theirs = printed(output)
    ours = [number for number in numbers(entry["shows"]) if MEASURED.search(number)]
    if not theirs or all(TOLERANCE.fullmatch(number) for number in ours):
        return False
    return not any(agree(a, b) for a in theirs for b in ours)
