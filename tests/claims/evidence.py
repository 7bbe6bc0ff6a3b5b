"""How a test says the numbers that the ledger prints.

The ids and the texts of `shown` and `within` are literals: `test_ledger` reads them from the
source of the test."""

from functools import cache

import numpy as np
from ledger_schema import ROOT, schema


@cache
def ledger():
    """The entries of the claims ledger by id, in the order of the file."""
    return schema.read_ledger(ROOT / "book" / "claims.yml")


def shown(claims, values, *texts, where="shows"):
    """Assert that each value rounds to its text, and that every entry of `claims` prints the text
    in `where`.

    claims  one id, or several with spaces between
    values  a number, or as many as there are texts; for "any", "always" and "never" what must be
            true of all
    texts   "0.454", "12%", "1.05e6", "six", "twice", "1/4\""""
    values = [values] if len(texts) == 1 else list(values)
    assert len(values) == len(texts), f"{claims}: {len(values)} values for {len(texts)} texts"
    for value, text in zip(values, texts, strict=True):
        if text in schema.UNIVERSAL:
            assert np.all(value), f"{claims}: not {text}"
        else:
            wanted, unit = schema.value_of(text)
            room = 0.5000001 * unit or 1e-12 * max(1, abs(wanted))
            assert abs(float(value) - wanted) <= room, f"{claims}: {float(value):.6g}, not {text}"
        is_printed(claims, text, where)


def within(claims, errors, bound, where="shows"):
    """Assert that every error is below the bound, and that every entry of `claims` prints the
    bound in `where`."""
    largest = np.max(np.abs(errors))
    assert largest < float(bound), f"{claims}: {largest:.3g} is not below {bound}"
    is_printed(claims, bound, where)


def is_printed(claims, text, where):
    for claim in claims.split():
        found = schema.numbers(ledger()[claim].get(where, ""))
        assert text.lower() in found, f"{claim}: its `{where}` does not print {text}"
