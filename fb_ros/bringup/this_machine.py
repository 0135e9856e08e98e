"""How our processes talk over ROS where the user has not decided it."""

from __future__ import annotations

import os

from fb_ros.paths import shipped

RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"
PROFILES = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
"""Fast DDS 2 reads the first, Fast DDS 3 the second."""
_MIDDLEWARE, _FAST_DDS = "RMW_IMPLEMENTATION", ("", "rmw_fastrtps_cpp", "rmw_fastrtps_dynamic_cpp")


def stay_on_this_machine() -> None:
    """Keeps ROS in this process and in those that it starts to this machine, unless the
    environment says how far it goes; call it before rclpy starts."""
    if os.environ.get(RANGE):
        return
    profiles = shipped("config", "this_machine.xml")
    if (
        profiles is None
        or os.environ.get(_MIDDLEWARE, "") not in _FAST_DDS
        or any(os.environ.get(name) for name in PROFILES)
    ):
        os.environ[RANGE] = "LOCALHOST"
        return
    # LOCALHOST would bring shared memory along (see `leave_shared_memory`).
    os.environ[RANGE] = "SYSTEM_DEFAULT"
    for name in PROFILES:
        os.environ[name] = str(profiles)


def leave_shared_memory() -> None:
    """Has Fast DDS talk over UDP alone, unless the environment chooses its transports.

    A process that is stopped while it holds a lock of Fast DDS's shared memory makes everyone wait
    who publishes to it, for seconds: a driver would wait for somebody who listens. With
    `ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST` shared memory is used all the same.
    """
    os.environ.setdefault("FASTDDS_BUILTIN_TRANSPORTS", "UDPv4")
