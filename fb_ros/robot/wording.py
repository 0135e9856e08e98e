"""Features, points and states in words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from fb_ros.robot.field import Field, layout_slices


def describe(fields: Sequence[Field]) -> str:
    """Describes the fields in one line, for a person who looks for the right one."""
    return "; ".join(
        f"{field.name} ({field.size}{', ' + field.unit if field.unit else ''}"
        f"{': ' + field.description if field.description else ''})"
        for field in fields
    )


def shortened(text: str, longest: int = 100) -> str:
    """The text, or only its beginning if it is longer than `longest` characters."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def point_text(point: np.ndarray) -> str:
    """Coordinates `(n,)` with three digits."""
    return "(" + ", ".join(f"{value:.3g}" for value in point) + ")"


def state_text(layout: Sequence[Field], features: np.ndarray, names: Collection[str]) -> str:
    """The values of the features `names` in a state `(k,)`, as text."""
    return ", ".join(
        f"{name} {point_text(features[part])}"
        for name, part in layout_slices(layout).items()
        if name in names
    )


def ranges_text(layout: Sequence[Field], features: np.ndarray, names: Collection[str]) -> str:
    """The smallest and largest values of the features `names` in states `(n, k)`, as text."""
    low, high = features.min(axis=0), features.max(axis=0)
    parts = [
        f"{name} from {point_text(low[part])} to {point_text(high[part])}"
        for name, part in layout_slices(layout).items()
        if name in names
    ]
    return ", ".join(parts) or "no feature that it speaks of"
