"""What a reader noticed about a recording that a person should know."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing about a recording, such as samples that were left out."""

    kind: str
    """Short name for programs: `left_out`, `clock`, `order`, `count`, `doubt`, …"""
    text: str
    """One sentence for a person."""
    topic: str = ""
    """Topic of a bag that it is about, if any."""
    count: int = 1
    """How many messages, samples or rows it is about."""


class Findings:
    """A list of findings that a reader adds to while it goes on."""

    def __init__(self) -> None:
        self.entries: list[Finding] = []

    def add(self, kind: str, text: str, *, topic: str = "", count: int = 1) -> None:
        """Adds one; the same sentence is said once."""
        found = Finding(kind=kind, text=text, topic=topic, count=count)
        if found not in self.entries:
            self.entries.append(found)

    def texts(self, *kinds: str) -> list[str]:
        """The sentences of these kinds; all without any."""
        return [one.text for one in self.entries if not kinds or one.kind in kinds]
