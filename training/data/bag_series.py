"""Messages of a bag's topics, with their times."""

from __future__ import annotations

import dataclasses
import sqlite3
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.rosbag2 import ReaderError
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore

from fb_ros.errors import FbRosError
from training.data.bag_mapping import TopicField


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series:
    """Messages of a topic, with their times."""

    times: np.ndarray
    """Seconds, increasing, `(n,)`."""
    values: np.ndarray
    """`(n, k)`."""
    names: tuple[str, ...]
    """Of the `k` components, where they have any."""

    def held(self, times: np.ndarray) -> np.ndarray:
        """Index of the newest values at `times` `(m,)`, -1 before any."""
        return np.searchsorted(self.times, times, side="right") - 1

    def nearest(self, times: np.ndarray) -> np.ndarray:
        """Index of the values closest to `times` `(m,)`."""
        return np.searchsorted(0.5 * (self.times[1:] + self.times[:-1]), times)

    def believed(
        self, index: np.ndarray, times: np.ndarray, longest: float, fresh: float
    ) -> np.ndarray:
        """Whether the values `index` say what was so at `times`, `(m,)`.

        They do if they are within `fresh` of that instant, or if the topic was not silent for
        longer than `longest` around it.
        """
        ends = np.concatenate([[-np.inf], self.times, [np.inf]])
        within = np.searchsorted(self.times, times, side="right")
        silence = ends[within + 1] - ends[within]
        return (index >= 0) & ((silence <= longest) | (np.abs(times - self.times[index]) <= fresh))


def read_series(path: Path, wanted: Mapping[str, TopicField]) -> dict[str, Series]:
    """Messages of the wanted topics, from one pass over the bag."""
    times: dict[str, list[float]] = {name: [] for name in wanted}
    values: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    names: dict[str, tuple[str, ...]] = dict.fromkeys(wanted, ())
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
            there = {connection.topic for connection in reader.connections}
            for name, entry in wanted.items():
                if entry.topic not in there:
                    raise FbRosError(
                        f"{path} has no topic {entry.topic} ({name}); it has "
                        f"{', '.join(sorted(there))}"
                    )
            topics = {entry.topic for entry in wanted.values()}
            connections = [one for one in reader.connections if one.topic in topics]
            for connection, stamp, raw in reader.messages(connections=connections):
                message = reader.deserialize(raw, connection.msgtype)
                for name, entry in wanted.items():
                    if entry.topic != connection.topic:
                        continue
                    numbers = _numbers(_part(message, entry.field, entry.topic), entry)
                    told = _names(message, entry)
                    if told and len(told) != len(numbers):
                        raise FbRosError(
                            f"{path}: {entry.topic}: {entry.field} holds {len(numbers)} numbers "
                            f"for {len(told)} names ({name})"
                        )
                    if values[name] and (
                        told != names[name] or len(numbers) != len(values[name][0])
                    ):
                        raise FbRosError(
                            f"{path}: {entry.topic} changes its names or its length at "
                            f"{stamp * 1e-9:.3f} s"
                        )
                    names[name] = told
                    times[name].append(stamp * 1e-9)
                    values[name].append(numbers)
    except (
        AnyReaderError,
        ReaderError,
        SerdeError,
        sqlite3.Error,
        struct.error,
        OSError,
        # Of messages that are not what their type says.
        ValueError,
        IndexError,
        AssertionError,
    ) as error:
        reason = " ".join(str(error).split())
        raise FbRosError(
            f"{path} is not a whole bag ({reason}); `ros2 bag reindex` may repair it"
        ) from error
    for name, entry in wanted.items():
        if not times[name] and name != "terminal":
            raise FbRosError(f"{path}: nothing was said on {entry.topic} ({name})")
    return {
        name: Series(
            times=np.array(times[name]),
            values=np.array(values[name]) if values[name] else np.zeros((0, 1)),
            names=names[name],
        )
        for name in wanted
    }


def _part(message: Any, path: str, topic: str) -> Any:
    """The value at `path` within a message."""
    for step in path.split("."):
        if not hasattr(message, step):
            there = ", ".join(name for name in vars(message) if not name.startswith("_"))
            raise FbRosError(f"messages on {topic} have no {path}; there are {there}")
        message = getattr(message, step)
    return message


def _names(message: Any, entry: TopicField) -> tuple[str, ...]:
    """The names of the numbers; none where the mapping asks for none."""
    if not entry.names:
        return ()
    names = _part(message, entry.names, entry.topic)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise FbRosError(f"{entry.topic}: {entry.names} does not hold names")
    return tuple(names)


def _numbers(value: Any, entry: TopicField) -> np.ndarray:
    """The numbers of a field: an array, a number, a point, or a quaternion as (w, x, y, z)."""
    if hasattr(value, "x"):
        axes = ("w", "x", "y", "z") if hasattr(value, "w") else ("x", "y", "z")
        return np.array([getattr(value, axis) for axis in axes], dtype=np.float64)
    try:
        return np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError) as error:
        raise FbRosError(f"{entry.topic}: {entry.field} does not hold numbers") from error
