"""Publishers, subscriptions and timers of a node, destroyed together."""

from __future__ import annotations

from typing import TypeAlias

from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

Entity: TypeAlias = Subscription | Service | Timer | LifecyclePublisher


class Entities:
    """Publishers, subscriptions, services and timers that configuring a node makes."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._made: list[Entity] = []

    def add(self, *made: Entity) -> None:
        """Keeps the entities until `destroy`."""
        self._made += made

    def destroy(self) -> None:
        """Destroys all entities that were added."""
        for entity in self._made:
            if isinstance(entity, Timer):
                self._node.destroy_timer(entity)
            elif isinstance(entity, Service):
                self._node.destroy_service(entity)
            elif isinstance(entity, Subscription):
                self._node.destroy_subscription(entity)
            else:
                self._node.destroy_lifecycle_publisher(entity)
        self._made = []
