"""The one root exception, by which callers tell our refusals from a bug."""

from __future__ import annotations

import reprlib


class FbRosError(Exception):
    """A refusal in one line: what came, what was expected, what to do."""


def shown(value: object) -> str:
    """A value that anybody may have written, in one line of at most 120 characters.

    A plain `repr` may need more memory than there is: for a few lines of YAML that repeat each
    other, or for a number with a million digits.
    """
    text = " ".join(_SHORT.repr(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


_LONGEST = 120


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxstring, self.maxother = 3, 80, 80
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 6

    def repr_int(self, x: int, level: int) -> str:
        bits = x.bit_length()
        return str(x) if bits <= 64 else f"a number of {bits} bits"


_SHORT = _Short()
