"""The numbers in a message, and their names."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from training.data.bags.mapping import TopicField

Numbers = np.ndarray | tuple[float, ...]
Sample = tuple[Numbers, tuple[str, ...], int]
"""Numbers `(k,)`, their names (empty if they have none), and the delay after the message from
which they hold, in nanoseconds."""

# Points without and quaternions with a scalar part; quaternions are read as (w, x, y, z).
_AXES = (operator.attrgetter("x", "y", "z"), operator.attrgetter("w", "x", "y", "z"))


def sample_reader(topic: str, entry: TopicField) -> Callable[[Any], Iterable[Sample]]:
    """Returns a function that reads the samples of a decoded message of `topic`."""
    if entry.is_trajectory:
        return _trajectory_reader(topic, entry)
    part = _part(topic, entry.field)
    if not entry.names:
        return lambda message: ((_numbers(part(message), topic, entry), (), 0),)
    names_of = _names_reader(topic, entry.names)
    return lambda message: ((_numbers(part(message), topic, entry), names_of(message), 0),)


def stamp_of(message: Any) -> int:
    """Nanoseconds of the header's stamp; 0 without a header, and for an empty stamp."""
    header = getattr(message, "header", None)
    if header is None:
        return 0
    stamp = header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def _trajectory_reader(topic: str, entry: TopicField) -> Callable[[Any], Iterable[Sample]]:
    """Reads JointTrajectory: a point is the target from the time at which the previous one is
    due."""
    if not entry.names:
        raise FbRosError(f"{topic}: {entry.field} needs names, such as joint_names")
    names_of, points = _names_reader(topic, entry.names), _part(topic, "points")
    part = _part(topic, entry.field.removeprefix("points."))

    def read(message: Any) -> Iterator[Sample]:
        names, delay = names_of(message), 0
        for point in points(message):
            yield _numbers(part(point), topic, entry), names, delay
            due = point.time_from_start
            delay = int(due.sec) * 10**9 + int(due.nanosec)

    return read


def _part(topic: str, path: str) -> Callable[[Any], Any]:
    """Returns a function that reads the part of a message at `path`."""
    get = operator.attrgetter(path)

    def read(message: Any) -> Any:
        try:
            return get(message)
        except AttributeError:
            there = ", ".join(name for name in vars(message) if not name.startswith("_"))
            raise FbRosError(f"messages on {topic} have no {path}; there are {there}") from None

    return read


def _names_reader(topic: str, path: str) -> Callable[[Any], tuple[str, ...]]:
    part = _part(topic, path)
    # Nearly all messages have the same names.
    last: tuple[list[str], tuple[str, ...]] = ([], ())

    def read(message: Any) -> tuple[str, ...]:
        nonlocal last
        value = part(message)
        if value != last[0]:
            if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
                raise FbRosError(f"{topic}: {path} does not hold names")
            last = value, tuple(value)
        return last[1]

    return read


def _numbers(value: Any, topic: str, entry: TopicField) -> Numbers:
    """The numbers of a field: an array, a number, a point or a quaternion."""
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return value
    if hasattr(value, "x") and hasattr(value, "z"):
        numbers: tuple[float, ...] = _AXES[hasattr(value, "w")](value)
        return numbers
    try:
        return np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError) as error:
        raise FbRosError(f"{topic}: {entry.field} does not hold numbers") from error
