"""Poses of frames, composed of the transforms on `/tf` and `/tf_static`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from training.data.bags.tracks import Track, TrackBuilder, what_is_wrong
from training.data.findings import Findings

STATIC = "/tf_static"
TOPICS = ("/tf", STATIC)


class TransformListener:
    """Collects the transforms of all frames, by child frame."""

    def __init__(self) -> None:
        self._builders: dict[tuple[str, str, bool], TrackBuilder] = {}

    def take(self, topic: str, order: int, received: int, message: Any) -> None:
        """Adds the transforms of a TFMessage."""
        if not hasattr(message, "transforms"):
            raise FbRosError(f"{topic} holds no transforms")
        for one in message.transforms:
            parent = one.header.frame_id.lstrip("/")
            child = one.child_frame_id.lstrip("/")
            key = (parent, child, topic == STATIC)
            builder = self._builders.get(key)
            if builder is None:
                source = f"tf {child}_orientation"
                builder = self._builders[key] = TrackBuilder(source, topic, (), 7)
            stamp = one.header.stamp
            shift, turn = one.transform.translation, one.transform.rotation
            builder.add(
                order,
                received,
                int(stamp.sec) * 10**9 + int(stamp.nanosec),
                (),
                (shift.x, shift.y, shift.z, turn.w, turn.x, turn.y, turn.z),
            )

    def chains(self, frames: set[str], base: str, found: Findings) -> Mapping[str, Chain]:
        """The chain from each of `frames` up to `base`; refuses a frame without one."""
        parents: dict[str, tuple[str, bool]] = {}
        for parent, child, static in self._builders:
            before = parents.setdefault(child, (parent, static))
            if before[0] != parent:
                raise FbRosError(f"/tf: frame {child} hangs on {before[0]} and on {parent}")
            parents[child] = (parent, before[1] and static)
        chains = {}
        for frame in frames:
            links: list[Track] = []
            at = frame
            while at != base:
                if at not in parents or len(links) > len(parents):
                    raise FbRosError(
                        f"/tf: there is no way from frame {frame} to {base}; it ends at {at}, and "
                        f"the bag has {', '.join(sorted(parents)) or 'no transforms'}"
                    )
                parent, static = parents[at]
                links.append(_usable(self._builders[parent, at, static].build(), static, found))
                at = parent
            chains[frame] = Chain(links=tuple(reversed(links)))
        return chains


@dataclasses.dataclass(frozen=True, kw_only=True)
class Chain:
    """Transforms from the base frame down to a frame, in that order."""

    links: tuple[Track, ...]

    @property
    def moving(self) -> list[Track]:
        """The links of the chain that move."""
        return [link for link in self.links if link.topic != STATIC]

    def pose(self, rows: Mapping[int, np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
        """Position `(n, 3)` and orientation `(n, 4)` of the frame in the base frame.

        `rows` has the transform `(n, 7)` of each moving link, by `id`.
        """
        position = np.zeros((count, 3))
        orientation = np.tile([1.0, 0.0, 0.0, 0.0], (count, 1))
        for link in self.links:
            part = rows[id(link)] if id(link) in rows else np.tile(link.values[-1], (count, 1))
            position = position + _rotated(orientation, part[:, :3])
            orientation = _product(orientation, part[:, 3:])
        return position, orientation


def _usable(track: Track, static: bool, found: Findings) -> Track:
    for reason, wrong in what_is_wrong(track, "transform"):
        if wrong.all():
            raise FbRosError(f"{track.topic}: {track.source}: {reason}")
        text = f"{track.topic}: {int(wrong.sum())} of {len(track)} transforms left out: {reason}"
        found.add("left_out", text, topic=track.topic, count=int(wrong.sum()))
        return _usable(track.take(~wrong), static, found)
    if static and np.ptp(track.values, axis=0).max() > 1e-6:
        raise FbRosError(f"{STATIC}: {track.source.split()[1]} changes; it is not static")
    return track


def _product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Hamilton product of quaternions (w, x, y, z), row by row."""
    w, vector = first[:, :1], first[:, 1:]
    other_w, other = second[:, :1], second[:, 1:]
    scalar = w * other_w - np.sum(vector * other, axis=1, keepdims=True)
    return np.concatenate([scalar, w * other + other_w * vector + np.cross(vector, other)], axis=1)


def _rotated(quaternion: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Rotates points `(n, 3)` by unit quaternions `(n, 4)`."""
    w, vector = quaternion[:, :1], quaternion[:, 1:]
    twice = 2.0 * np.cross(vector, points)
    return points + w * twice + np.cross(vector, twice)
