"""Reads the samples of one source from the messages of one topic."""

from __future__ import annotations

from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from training.data.bags.mapping import TopicField
from training.data.bags.numbers import sample_reader
from training.data.bags.tracks import Track, TrackBuilder, what_is_wrong
from training.data.findings import Findings

# policy_node takes these sources only in the robot's own frame.
_FRAMED = ("tcp_position", "tcp_orientation")


class Listener:
    """Sorts samples by their names, or by their width if they have none."""

    def __init__(self, source: str, topic: str, entry: TopicField, frame: str) -> None:
        """`frame` is the only frame that a tool's pose may be in."""
        self.source, self.topic, self.entry = source, topic, entry
        self._frame = frame if source in _FRAMED else ""
        self._read = sample_reader(topic, entry)
        self._replaces = entry.is_trajectory
        self._builders: dict[Any, TrackBuilder] = {}
        self._odd: dict[str, int] = {}

    def take(self, order: int, received: int, stamped: int, message: Any) -> None:
        """Adds the samples of `message`; refuses a message whose fields do not match the
        mapping."""
        if self._frame and hasattr(message, "header"):
            frame = message.header.frame_id
            if frame not in ("", self._frame):
                raise FbRosError(
                    f"{self.topic} is in frame {frame!r}, expected {self._frame!r}; if both are "
                    "the same, write `frame` into the mapping"
                )
        for numbers, names, delay in self._read(message):
            builder = self._builders.get(names or len(numbers))
            if builder is None or builder.width != len(numbers):
                builder = self._builder(names, len(numbers))
                if builder is None:
                    continue
            if self._replaces:
                builder.cancel_after(received + delay)
            builder.add(order, received + delay, 0 if delay else stamped, names, numbers)

    def _builder(self, names: tuple[str, ...], width: int) -> TrackBuilder | None:
        """The builder for samples with these names; None if the names do not fit the numbers."""
        field = self.entry.field
        if names and width != len(names):
            self._leave_out(f"{field} holds {width} numbers for {len(names)} names")
            return None
        if len(set(names)) < len(names):
            self._leave_out(f"{self.entry.names} holds a name twice")
            return None
        # Samples with the same names in another order belong to the same track.
        alike = next(
            (one for one in self._builders.values() if names and set(one.names) == set(names)),
            None,
        )
        builder = alike or TrackBuilder(self.source, self.topic, names, width)
        self._builders[names or width] = builder
        return builder

    def _leave_out(self, reason: str) -> None:
        self._odd[reason] = self._odd.get(reason, 0) + 1

    def tracks(self, found: Findings) -> list[Track]:
        """The samples that can be measurements; refuses a topic whose messages contain none."""
        reasons = [(count, count, reason) for reason, count in self._odd.items()]
        good: list[Track] = []
        for track in (one.build() for one in dict.fromkeys(self._builders.values())):
            keep = np.ones(len(track), dtype=bool)
            for reason, wrong in what_is_wrong(track, self.entry.field):
                first = track.received[np.flatnonzero(wrong)[0]] * 1e-9
                reasons.append((int(wrong.sum()), len(track), f"{reason}, first at {first:.3f} s"))
                keep &= ~wrong
            if keep.any():
                good.append(track if keep.all() else track.take(keep))
        if reasons and not good:
            raise FbRosError(f"{self.topic}: {reasons[0][2]}, in all of {reasons[0][1]} messages")
        for count, total, reason in reasons:
            text = f"{self.topic}: {count} of {total} messages left out: {reason}"
            found.add("left_out", text, topic=self.topic, count=count)
        return good
