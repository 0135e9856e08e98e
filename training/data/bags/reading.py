"""One pass over a bag, which reads the topics of a mapping."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError
from training.data.bags.files import find_files
from training.data.bags.listener import Listener
from training.data.bags.mapping import BagMapping
from training.data.bags.numbers import stamp_of
from training.data.bags.storage import Channel, read_file
from training.data.bags.tracks import Track
from training.data.bags.transforms import TOPICS, Chain, TransformListener
from training.data.bags.types import decoder
from training.data.findings import Findings


@dataclasses.dataclass(frozen=True, kw_only=True)
class BagContents:
    """A bag's contents for the sources of a mapping."""

    tracks: Mapping[str, list[Track]]
    """Tracks of each source in `state`, of `action` and of `terminal`: one for each set of
    names."""
    chains: Mapping[str, Chain]
    """The transform chain of each frame that the mapping uses."""


def read_contents(path: Path, mapping: BagMapping, frame: str, found: Findings) -> BagContents:
    """Reads a bag once; refuses one that lacks a topic, is damaged or has another format.

    `frame` is the bag's name of the robot's frame. Samples that cannot be measurements are left
    out and noted in `found`.
    """
    wanted = {**mapping.state, "action": mapping.action}
    if mapping.terminal:
        wanted["terminal"] = mapping.terminal
    listeners: dict[str, list[Listener]] = {}
    for source, entry in wanted.items():
        for topic in entry.topics:
            listeners.setdefault(topic, []).append(Listener(source, topic, entry, frame))
    transforms = TransformListener() if mapping.transforms else None
    topics = {*listeners, *(TOPICS if transforms else ())}
    files = find_files(path)
    counts, seen = dict.fromkeys(topics, 0), dict[str, str]()
    decoders: dict[Channel, Callable[[bytes], Any]] = {}
    order = 0
    for file in files.paths:
        for channel, received, data in read_file(file, topics, seen):
            try:
                decode = decoders.get(channel)
                if decode is None:
                    decode = decoders[channel] = decoder(channel)
                message = decode(data)
                if channel.topic in listeners:
                    stamped = stamp_of(message)
                    for listener in listeners[channel.topic]:
                        listener.take(order, received, stamped, message)
                if transforms and channel.topic in TOPICS:
                    transforms.take(channel.topic, order, received, message)
            except FbRosError as error:
                raise FbRosError(f"{path}, at {received * 1e-9:.3f} s: {error}") from error
            counts[channel.topic] += 1
            order += 1
    _require_topics(path, wanted, seen, counts)
    _compare_counts(path, files.counts, counts, found)
    try:
        tracks: dict[str, list[Track]] = {source: [] for source in wanted}
        for several in listeners.values():
            for listener in several:
                tracks[listener.source] += listener.tracks(found)
        frames = set(mapping.transforms.values())
        chains = transforms.chains(frames, frame, found) if transforms else {}
    except FbRosError as error:
        raise FbRosError(f"{path}: {error}") from error
    return BagContents(tracks=tracks, chains=chains)


def _require_topics(
    path: Path, wanted: Mapping[str, Any], seen: Mapping[str, str], counts: Mapping[str, int]
) -> None:
    for source, entry in wanted.items():
        for topic in entry.topics:
            if topic not in seen:
                there = ", ".join(sorted(seen)) or "none at all"
                raise FbRosError(f"{path} has no topic {topic} ({source}); it has {there}")
            if not counts[topic] and source != "terminal":
                raise FbRosError(f"{path}: nothing was said on {topic} ({source})")


def _compare_counts(
    path: Path, promised: Mapping[str, int], counts: Mapping[str, int], found: Findings
) -> None:
    """Refuses files that hold fewer messages than their metadata state."""
    for topic, count in counts.items():
        if promised and count < promised.get(topic, 0):
            raise FbRosError(
                f"{path} is not a whole bag: metadata.yaml counts {promised[topic]} messages on "
                f"{topic}, its files hold {count}; if those will do, remove metadata.yaml"
            )
        if promised and count > promised.get(topic, 0):
            found.add(
                "count",
                f"{topic}: {count} messages, of which metadata.yaml counts only "
                f"{promised.get(topic, 0)}; all were read",
                topic=topic,
                count=count - promised.get(topic, 0),
            )
