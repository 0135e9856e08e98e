"""How fast a robot's recording is converted, and how much memory that takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fb_ros.errors import FbRosError
from sim.progress import progress_bar
from sim.robots.registry import make_environment
from training.benchmarks.checkout import HERE, command_in, require_checkout

_ROBOT = "jaco"
_TOPICS = {
    "/jaco/joint_states": "sensor_msgs/msg/JointState",
    "/jaco/tcp_pose": "geometry_msgs/msg/PoseStamped",
    "/jaco/commands": "std_msgs/msg/Float64MultiArray",
}
_JOINTS = {"topic": "/jaco/joint_states", "names": "name"}
_MAPPING = {
    "state": {
        "joint_position": {"field": "position", **_JOINTS},
        "joint_velocity": {"field": "velocity", **_JOINTS},
        "tcp_position": {"topic": "/jaco/tcp_pose", "field": "pose.position"},
        "tcp_orientation": {"topic": "/jaco/tcp_pose", "field": "pose.orientation"},
    },
    "action": {"topic": "/jaco/commands", "field": "data"},
}


def benchmark_bags(
    messages: int, against: Path | None = None, pairs: int = 1
) -> list[dict[str, object]]:
    """Returns a row for each storage: a clean recording of the arm of `messages`, converted.

    A separate process converts it; the figures are its CPU time and its largest resident memory,
    start included. With `against`, another checkout of fb_ros, both convert it in turns, `pairs`
    times, and the figures are medians.

    Raises:
        FbRosError: `against` is no checkout of fb_ros, or a conversion fails.
    """
    if against is not None:
        require_checkout(against)
    rows: list[dict[str, object]] = []
    for plugin in StoragePlugin:
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            _record(folder / "bag", messages // len(_TOPICS), plugin)
            (folder / "map.yaml").write_text(yaml.safe_dump(_MAPPING))
            others, ours = [], []
            for _ in progress_bar(range(pairs), title=f"convert {plugin.name}", unit="turn"):
                if against is not None:
                    others.append(_converted(folder, against.resolve()))
                ours.append(_converted(folder, HERE))
        row = {name: median(run[name] for run in ours) for name in ours[0]}
        compared = (
            {
                "other_cpu_s": median(run["cpu_s"] for run in others),
                "cpu_ratio": median(
                    own["cpu_s"] / other["cpu_s"] for other, own in zip(others, ours, strict=True)
                ),
                "other_rss_mb": median(run["rss_mb"] for run in others),
            }
            if others
            else {}
        )
        rows.append({"case": plugin.name.lower(), "messages": messages, **row, **compared})
    return rows


def _converted(folder: Path, checkout: Path) -> dict[str, float]:
    """CPU and wall seconds, the largest memory in MB, and the number of transitions."""
    start = time.perf_counter()
    out = folder / "out"
    words = ["data", "convert", str(folder / "bag"), "--robot", _ROBOT, "--json"]
    words += ["--mapping", str(folder / "map.yaml"), "--out", str(out)]
    process = subprocess.Popen(**command_in(checkout, words), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise FbRosError(f"the conversion by {checkout} failed; see above")
    seconds = time.perf_counter() - start
    shutil.rmtree(out)
    return {
        "transitions": int(json.loads(said)["transitions"]),
        "cpu_s": used.ru_utime + used.ru_stime,
        "wall_s": seconds,
        "rss_mb": used.ru_maxrss / 1024,
    }


def _record(path: Path, rows: int, plugin: StoragePlugin) -> None:
    """Records an arm whose joints swing slowly, with messages every control period."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types, spec = store.types, make_environment(_ROBOT).spec
    period, names = round(spec.ctrl_dt * 1e9), list(spec.action_joints)
    middle = np.array(
        [
            0.0 if low is None or high is None else 0.5 * (low + high)
            for low, high in zip(spec.joint_low, spec.joint_high, strict=True)
        ]
    )
    layout = types["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
    upright = types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections = {
            topic: writer.add_connection(topic, kind, typestore=store)
            for topic, kind in _TOPICS.items()
        }
        for row in progress_bar(range(rows), title=f"record {plugin.name}", unit="row"):
            stamp = 1_700_000_000 * 10**9 + row * period
            angle = 0.5 * row * spec.ctrl_dt + np.arange(len(names))
            header = types["std_msgs/msg/Header"](
                types["builtin_interfaces/msg/Time"](stamp // 10**9, stamp % 10**9), "world"
            )
            place = types["geometry_msgs/msg/Point"](0.1, 0.1, 0.3)
            messages = {
                "/jaco/joint_states": types["sensor_msgs/msg/JointState"](
                    header,
                    names,
                    middle + 0.3 * np.sin(angle),
                    0.15 * np.cos(angle),
                    np.zeros(0),
                ),
                "/jaco/tcp_pose": types["geometry_msgs/msg/PoseStamped"](
                    header, types["geometry_msgs/msg/Pose"](place, upright)
                ),
                "/jaco/commands": types["std_msgs/msg/Float64MultiArray"](
                    layout, 0.1 * np.cos(angle)
                ),
            }
            for delay, (topic, message) in enumerate(messages.items()):
                raw = store.serialize_cdr(message, _TOPICS[topic])
                writer.write(connections[topic], stamp + delay * 10**6, raw)
