"""Quality of service of the topics, named after their contents."""

from __future__ import annotations

import copy
from typing import Any

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions

# Only the newest measurement or command counts, but it must arrive.
STREAM = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.RELIABLE
)

# A node that starts later still gets the last one.
LATCHED = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)

# Prompts are volatile, as `ros2 topic pub` publishes. The queue is deep, so that a program which
# asks faster than it is answered loses none uncounted.
PROMPT = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=100, reliability=ReliabilityPolicy.RELIABLE
)

# Messages that come now and then, and must not be missed.
EVENTS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST, depth=10, reliability=ReliabilityPolicy.RELIABLE
)


def overridable(profile: QoSProfile) -> dict[str, Any]:
    """Arguments of a publisher or subscription whose reliability, depth and history can be set.

    The settings are parameters such as `qos_overrides./arm/observation.subscription.reliability`.
    """
    return {
        # rclpy writes the overrides into the profile, so it gets a copy.
        "qos_profile": copy.copy(profile),
        "qos_overriding_options": QoSOverridingOptions.with_default_policies(),
    }
