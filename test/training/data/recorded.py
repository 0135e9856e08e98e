"""Bags of the point mass, as people record them: written here, message by message."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from training.commands.convert_data import ConvertConfig, convert
from training.data.episode import Episode, load_episode

STORE = get_typestore(Stores.ROS2_JAZZY)
TYPES = STORE.types
PERIOD = 10**8
START = 1_700_000_000 * 10**9
JOINTS = "/pm/joint_states"
POSE = "/pm/tcp_pose"
COMMANDS = "/pm/commands"
MAPPING: dict[str, Any] = {
    "state": {
        "joint_position": {"topic": JOINTS, "field": "position", "names": "name"},
        "joint_velocity": {"topic": JOINTS, "field": "velocity", "names": "name"},
        "tcp_position": {"topic": POSE, "field": "pose.position"},
    },
    "action": {"topic": COMMANDS, "field": "data"},
}


@dataclasses.dataclass
class Said:
    """A message, the instant of its recording, and its topic."""

    topic: str
    received: int
    message: Any


def header(stamp: int, frame: str = "world") -> Any:
    time = TYPES["builtin_interfaces/msg/Time"](
        sec=int(stamp // 10**9), nanosec=int(stamp % 10**9)
    )
    return TYPES["std_msgs/msg/Header"](stamp=time, frame_id=frame)


def joint_state(
    stamp: int,
    names: Sequence[str],
    position: Iterable[float],
    velocity: Iterable[float] = (),
    effort: Iterable[float] = (),
) -> Any:
    parts = [np.array(list(part), np.float64) for part in (position, velocity, effort)]
    return TYPES["sensor_msgs/msg/JointState"](header(stamp), list(names), *parts)


def pose(stamp: int, position: Iterable[float], frame: str = "world", w: float = 1.0) -> Any:
    return TYPES["geometry_msgs/msg/PoseStamped"](
        header(stamp, frame),
        TYPES["geometry_msgs/msg/Pose"](
            TYPES["geometry_msgs/msg/Point"](*map(float, position)),
            TYPES["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, w),
        ),
    )


def numbers(values: Iterable[float]) -> Any:
    layout = TYPES["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    data = np.array(list(values), np.float64)
    return TYPES["std_msgs/msg/Float64MultiArray"](layout, data)


def circle(row: int) -> tuple[float, float]:
    """Where the point mass is at a row, going round in a minute."""
    return 0.2 * np.sin(0.1 * row), 0.2 * np.cos(0.1 * row)


def clean(rows: int = 40, start: int = START, first: int = 0) -> list[Said]:
    """A recording in which nothing is wrong; commands count the rows."""
    said = []
    for row in range(first, first + rows):
        stamp = start + (row - first) * PERIOD
        x, y = circle(row)
        said += [
            Said(JOINTS, stamp, joint_state(stamp, ["root_x", "root_y"], (x, y), (y, -x))),
            Said(POSE, stamp, pose(stamp, (x, y, 0.01))),
            Said(COMMANDS, stamp + 10**6, numbers((1e-4 * row, -1e-4 * row))),
        ]
    return said


def write(
    folder: Path,
    said: Iterable[Said],
    plugin: StoragePlugin = StoragePlugin.MCAP,
    compression: CompressionMode = CompressionMode.NONE,
    types: dict[str, str] | None = None,
) -> Path:
    """Writes a bag; returns its folder."""
    writer = Writer(folder, version=9, storage_plugin=plugin)
    if compression != CompressionMode.NONE:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for one in said:
            kind = (types or {}).get(one.topic, one.message.__msgtype__)
            if one.topic not in connections:
                connections[one.topic] = writer.add_connection(one.topic, kind, typestore=STORE)
            raw = STORE.serialize_cdr(one.message, one.message.__msgtype__)
            writer.write(connections[one.topic], one.received, raw)
    return folder


def mapping_with(**changes: Any) -> dict[str, Any]:
    """The usual mapping with other entries; those of sources go into its state."""
    sources = {name: value for name, value in changes.items() if name in MAPPING["state"]}
    rest = {name: value for name, value in changes.items() if name not in sources}
    return {**MAPPING, "state": {**MAPPING["state"], **sources}, **rest}


def converted(
    bag: Path, mapping: dict[str, Any] | None = None, **options: Any
) -> tuple[list[Episode], dict[str, Any]]:
    """The episodes of a bag, and what `fb_ros data convert` says."""
    out = bag.with_name("out of " + bag.name)
    shutil.rmtree(out, ignore_errors=True)
    file = bag.with_name("map of " + bag.name + ".yaml")
    file.write_text(yaml.safe_dump(mapping or MAPPING))
    config = {"robot": "point_mass", "mapping": file, **options}
    result = convert(ConvertConfig(sources=(bag,), out=out, **config))
    return [load_episode(path) for path in sorted(out.glob("episode_*.npz"))], result


def steps(episodes: Iterable[Episode]) -> list[int]:
    return [one.steps for one in episodes]
