"""Findings of a reader about a recording that a person should know."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding about a recording, such as samples that were left out."""

    kind: str
    """Short name for programs: `left_out`, `clock`, `order`, `count`, `doubt`, …"""
    text: str
    """One sentence for a person."""
    topic: str = ""
    """Topic of the bag that it concerns, if any."""
    count: int = 1
    """Number of messages, samples or rows that it concerns."""


class Findings:
    """A list of findings that a reader adds to as it reads."""

    def __init__(self) -> None:
        self.entries: list[Finding] = []

    def add(self, kind: str, text: str, *, topic: str = "", count: int = 1) -> None:
        """Adds a finding; repeats are dropped."""
        found = Finding(kind=kind, text=text, topic=topic, count=count)
        if found not in self.entries:
            self.entries.append(found)

    def texts(self, *kinds: str) -> list[str]:
        """The sentences of these kinds, or of all kinds by default."""
        return [one.text for one in self.entries if not kinds or one.kind in kinds]
