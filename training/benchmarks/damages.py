"""Damages of files, in their bytes and in their contents; all are drawn from a generator."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

_EXTREMES = (b"\0" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, (1 << 40).to_bytes(8, "little"))


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with flipped bits, or a part cut off, overwritten, doubled or removed."""
    found = bytearray(content)
    at, length = int(rng.integers(len(found))), int(rng.integers(1, 64))
    kind = rng.integers(7)
    if kind <= 1:
        for place in rng.integers(0, len(found), 1 + kind * length):
            found[place] ^= 1 << rng.integers(8)
    elif kind == 2:
        del found[at:]
    elif kind == 3:
        found[at : at + length] = rng.bytes(len(found[at : at + length]))
    elif kind == 4:
        found[at : at + length] = bytes(len(found[at : at + length]))
    elif kind == 5:
        found[at:at] = found[at : at + length]
    else:
        # An extreme length, where the file stores one.
        extreme = _EXTREMES[rng.integers(len(_EXTREMES))][: 2 ** int(rng.integers(1, 4))]
        found[at : at + len(extreme)] = extreme
    return bytes(found)


_WRONG: tuple[Any, ...] = (
    *(None, True, -1, 0, 1.5, 10**30, float("nan"), "", "x" * 5000, "../../x"),
    *([], {}, [None], [[1]], {"": None}, {"a": {"b": []}}),
)


def wrong_value(data: Any, rng: np.random.Generator) -> Any:
    """The same plain data with one value, at any depth, changed, missing or added."""
    if rng.random() < 0.03:
        return copy.deepcopy(_WRONG[rng.integers(len(_WRONG))])
    found = copy.deepcopy(data)
    places: list[tuple[Any, Any]] = []

    def visit(part: Any) -> None:
        keys = list(part) if isinstance(part, dict) else range(len(part))
        for key in keys:
            places.append((part, key))
            if isinstance(part[key], (dict, list)):
                visit(part[key])

    if isinstance(found, (dict, list)):
        visit(found)
    if not places:
        return copy.deepcopy(_WRONG[rng.integers(len(_WRONG))])
    part, key = places[rng.integers(len(places))]
    if rng.random() < 0.2:
        del part[key]
    else:
        part[key] = copy.deepcopy(_WRONG[rng.integers(len(_WRONG))])
    return found
