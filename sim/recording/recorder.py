"""Writes every topic of a robot into a bag; needs no ROS installation."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fb_ros.errors import FbRosError
from sim.recording.message_class import message_class

# Topics that belong to no robot alone, and say when and where.
SHARED = ("/clock", "/diagnostics", "/tf", "/tf_static")
_LOOK_SECONDS = 0.1
# A burst of messages must not push out what has not been written yet.
_DEPTH = 1000


class Recorder(Node):
    """Subscribes to the topics of a namespace as they appear, and writes what arrives."""

    def __init__(self, namespace: str, out: Path) -> None:
        """Raises `FbRosError` where `out` exists."""
        super().__init__("recorder", namespace=namespace)
        if out.exists():
            raise FbRosError(f"{out} exists already; give another --out")
        self._types = get_typestore(Stores.ROS2_JAZZY)
        self._writer = Writer(out, version=9, storage_plugin=StoragePlugin.MCAP)
        self._writer.open()
        self.counts: dict[str, int] = {}
        """Messages of each topic that is recorded."""
        self.unknown: dict[str, str] = {}
        """Topics that cannot be recorded, each with its type."""
        self._volatile: dict[str, tuple[Subscription, Callable[[], None]]] = {}
        """Subscriptions to topics that nobody was known to latch, and how to make them anew."""
        self._look()
        self.create_timer(_LOOK_SECONDS, self._look)

    def close(self) -> None:
        """Finishes the bag; nothing can be recorded afterwards."""
        self._writer.close()

    def _look(self) -> None:
        inside = self.get_namespace().rstrip("/") + "/"
        for topic, kinds in self.get_topic_names_and_types():
            known = topic in self.counts or topic in self.unknown
            if not known and topic.startswith((inside, *SHARED)):
                self._listen(topic, kinds[0])
        # A topic's readers can be known before its writer is, and what that latches be missed.
        for topic in [one for one in self._volatile if _are_latched(self._offers(one))]:
            subscription, again = self._volatile.pop(topic)
            self.destroy_subscription(subscription)
            again()

    def _listen(self, topic: str, name: str) -> None:
        try:
            message = message_class(name)
            connection = self._writer.add_connection(topic, name, typestore=self._types)
        except (ImportError, AttributeError, KeyError):
            self.unknown[topic] = name
            self.get_logger().warning(f"{topic} is not recorded: {name} is not installed here")
            return
        self.counts[topic] = 0

        def write(content: bytes, info: dict[str, Any]) -> None:
            self._write(topic, connection, content, info)

        def subscribe() -> None:
            quality = self._quality(topic)
            made = self.create_subscription(message, topic, write, quality, raw=True)
            if quality.durability == DurabilityPolicy.VOLATILE:
                self._volatile[topic] = made, subscribe

        subscribe()

    def _quality(self, topic: str) -> QoSProfile:
        """What every publisher of a topic offers, so that all of them are heard."""
        offers = self._offers(topic)
        reliable = all(one.reliability == ReliabilityPolicy.RELIABLE for one in offers)
        return QoSProfile(
            history=HistoryPolicy.KEEP_LAST,
            depth=_DEPTH,
            reliability=(
                ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
            ),
            durability=(
                DurabilityPolicy.TRANSIENT_LOCAL
                if _are_latched(offers)
                else DurabilityPolicy.VOLATILE
            ),
        )

    def _offers(self, topic: str) -> list[QoSProfile]:
        return [one.qos_profile for one in self.get_publishers_info_by_topic(topic)]

    def _write(
        self, topic: str, connection: Connection, content: bytes, info: dict[str, Any]
    ) -> None:
        if not self.counts[topic]:
            print(f"hearing {topic}", file=sys.stderr, flush=True)
        self.counts[topic] += 1
        # When it came, not when it is written: a burst waits here for its turn.
        self._writer.write(connection, info["received_timestamp"], content)


def _are_latched(offers: list[QoSProfile]) -> bool:
    return bool(offers) and all(
        one.durability == DurabilityPolicy.TRANSIENT_LOCAL for one in offers
    )
