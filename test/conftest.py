"""Shared fixtures. The suite talks on a ROS domain of its own, so that nobody overhears it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

from fb_ros.bringup.this_machine import PROFILES, RANGE, stay_on_this_machine

# Before anything imports rclpy; processes that the tests start inherit it. Domains above 101
# would collide with the ports that Linux gives to other programs.
os.environ["ROS_DOMAIN_ID"] = str(1 + os.getpid() % 100)
for _name in (RANGE, *PROFILES):
    os.environ.pop(_name, None)
stay_on_this_machine()

# Workers side by side share the cores.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Skills that the tests save are nobody's.
os.environ["XDG_DATA_HOME"] = tempfile.mkdtemp(prefix="fb_ros_test_")

# The same inputs in every run: a failure is one of the change, and not of the day.
settings.register_profile("suite", derandomize=True)
settings.load_profile("suite")

# The plugin that the package brings, also where it is not installed with its entry points.
pytest_plugins = ("sim.testing.plugin",)

ROOT = Path(__file__).resolve().parent.parent

# What `make test-fast` leaves out: it talks over DDS, trains, or takes more than a few seconds.
# Single tests elsewhere are marked where they stand.
SLOW = (
    "fb_ros/nodes",
    "fb_ros/backends/test_backends.py",
    "fb_ros/commands/test_build_engine.py",
    "sim/recording",
    "sim/testing",
    "sim/web",
    "training/benchmarks",
    "training/collecting",
    "training/commands",
    "training/compute",
    "training/data/test_bag_property.py",
    "training/evaluation/test_evaluate_rewards.py",
    "training/exporting",
    "test_own_robot.py",
)

# What has the machine to itself: it keeps a robot's time, or moves a browser's mouse.
ALONE = (
    "fb_ros/nodes/test_big_messages.py",
    "fb_ros/nodes/test_faults.py",
    "fb_ros/nodes/test_flood.py",
    "fb_ros/nodes/test_latency.py",
    "fb_ros/nodes/test_prompt_examples.py",
    "fb_ros/nodes/test_stopping.py",
    "fb_ros/nodes/test_walking_robot.py",
    "sim/web/test_browser.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the slow ones, and those that run alone."""
    for item in items:
        where = item.path.relative_to(ROOT / "test").as_posix()
        if where.startswith(SLOW):
            item.add_marker(pytest.mark.slow)
        if where.startswith(ALONE):
            item.add_marker(pytest.mark.alone)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


_REACHING = ("jaco", "jaco_hand", "point_mass")


@pytest.fixture(scope="session", params=_REACHING)
def reaching_bundle(request: pytest.FixtureRequest) -> Path:
    """Each of the bundles that ship whose robot has a tool to reach with."""
    return ROOT / "models" / str(request.param)


@pytest.fixture(scope="session", params=[*_REACHING, "go2"])
def shipped_bundle(request: pytest.FixtureRequest) -> Path:
    """Each of the bundles that ship."""
    return ROOT / "models" / str(request.param)
