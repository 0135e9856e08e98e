"""The page's texts as HTML; text from elsewhere is escaped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices

GREEN, AMBER, RED, GREY = "#2b8a3e", "#e67700", "#c92a2a", "#868e96"
_PLACE = re.compile(r"at character (\d+)")
# Figures of an answer that a person reads, with their formats.
_FIGURES = (
    ("predicted_reward", "reward expected"),
    ("predicted_likeness", "likeness expected"),
    ("share", "share of the data"),
    ("effective_states", "states that count"),
    ("outside_m", "m outside the data"),
    ("outside_std", "std outside the data"),
    ("labelled_states", "labelled states"),
    ("time_ms", "ms"),
)
# The ends of a feature's range leave out this percentage on each side: a few states lie far out.
_TAIL = 1.0


def state_line(colour: str, text: str) -> str:
    """One coloured line."""
    return (
        f'<div data-role="state" style="margin:0 0.5em;padding:0.5em 0.7em;border-radius:4px;'
        f'background:{colour};color:white;font-weight:600;overflow-wrap:anywhere">'
        f"{escape(text)}</div>"
    )


def answer(role: str, colour: str, text: str, values: Mapping[str, str], asked: str = "") -> str:
    """An answer under the field `role` that asked, with its figures.

    If the answer names a character of `asked` as wrong, that character is shown.
    """
    figures = [
        f"{escape(words)} <b>{escape(values[name])}</b>"
        for name, words in _FIGURES
        if name in values
    ]
    return (
        f'<div data-role="{role}" style="margin:0 0.7em;padding:0.3em 0.6em;font-size:0.8em;'
        f'border-left:4px solid {colour};line-height:1.4;overflow-wrap:anywhere">'
        f"{escape(text)}{_pointed(text, asked)}"
        + (f'<div style="color:{GREY}">{" · ".join(figures)}</div>' if figures else "")
        + "</div>"
    )


def _pointed(text: str, asked: str) -> str:
    found = _PLACE.search(text)
    place = int(found[1]) - 1 if found else -1
    if not 0 <= place <= len(asked):
        return ""
    # The end of the formula is a valid position: something is missing there.
    wrong = asked[place : place + 1] or " "
    return (
        '<pre style="margin:0.3em 0;white-space:pre-wrap;font-size:1.1em">'
        f'{escape(asked[:place])}<mark data-role="place" style="background:{RED};color:white">'
        f"{escape(wrong)}</mark>{escape(asked[place + 1 :])}</pre>"
    )


def feature_table(bundle: Bundle) -> str:
    """Names, units, ranges and meanings of the features that a formula may use."""
    slices = layout_slices(bundle.robot.features)
    rows = []
    for field in bundle.encoder_fields:
        values = bundle.reference_features[:, slices[field.name]]
        low, high = np.percentile(values, [_TAIL, 100.0 - _TAIL], axis=0)
        ranges = "<br>".join(
            f"{f'[{i}] ' if field.size > 1 else ''}{a:.3g} … {b:.3g}"
            for i, (a, b) in enumerate(zip(low, high, strict=True))
        )
        rows.append(
            f"<tr><td><b>{escape(field.name)}</b></td><td>{escape(field.unit)}</td>"
            f'<td style="white-space:nowrap">{ranges}</td>'
            f"<td>{escape(field.description)}</td></tr>"
        )
    return (
        '<table data-role="features" style="margin:0 0.7em;font-size:0.75em;line-height:1.3;'
        'border-spacing:0.5em 0.2em;vertical-align:top"><tr style="text-align:left">'
        f"<th>feature</th><th>unit</th><th>range</th><th></th></tr>{''.join(rows)}</table>"
    )


def note(text: str) -> str:
    """A line in small grey letters."""
    return (
        f'<div style="margin:0 0.9em;font-size:0.75em;color:{GREY};line-height:1.4">'
        f"{escape(text)}</div>"
    )


def feature_ranges(bundle: Bundle, names: Sequence[str]) -> list[tuple[str, str, float, float]]:
    """Name, unit, lower and upper end of each component of the features `names`."""
    slices = layout_slices(bundle.robot.features)
    found = []
    for name in names:
        field = bundle.robot.feature(name)
        values = bundle.reference_features[:, slices[name]]
        low, high = np.percentile(values, [_TAIL, 100.0 - _TAIL], axis=0)
        found += [
            (f"{name}[{i}]", field.unit, float(low[i]), float(high[i])) for i in range(field.size)
        ]
    return found
