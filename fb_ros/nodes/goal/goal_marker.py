"""Shows the goal point in RViz and Foxglove, where `visualization_msgs` is installed."""

from __future__ import annotations

from typing import Any

import numpy as np
from rclpy.node import Node

from fb_ros.nodes.qos import LATCHED

_COLOUR = {"r": 0.1, "g": 0.8, "b": 0.2, "a": 0.5}


class GoalMarker:
    """Publishes `goal_marker`, latched: a sphere of the size within which the goal is reached."""

    def __init__(self, node: Node, frame: str, radius: float) -> None:
        """`radius` is in metres, around a point in `frame`."""
        self._node, self._frame, self._radius = node, frame, radius
        self._kind: Any = None
        try:
            from visualization_msgs.msg import Marker
        except ModuleNotFoundError:
            # Without the message type no viewer on this machine could show the marker.
            return
        self._kind = Marker
        self._publisher = node.create_publisher(Marker, "goal_marker", LATCHED)

    def show(self, point: np.ndarray) -> None:
        """Shows the marker at `point`, `(3,)`."""
        if self._kind is None or point.shape != (3,):
            return
        marker = self._marker(self._kind.ADD)
        marker.type = self._kind.SPHERE
        place = marker.pose.position
        place.x, place.y, place.z = (float(value) for value in point)
        marker.scale.x = marker.scale.y = marker.scale.z = 2.0 * self._radius
        for name, value in _COLOUR.items():
            setattr(marker.color, name, value)
        self._publisher.publish(marker)

    def remove(self) -> None:
        """Removes the marker when there is no goal point any more."""
        if self._kind is not None:
            self._publisher.publish(self._marker(self._kind.DELETE))

    def _marker(self, action: int) -> Any:
        # Without a stamp a viewer uses the newest transform, which is the right one.
        marker = self._kind(ns="goal", id=0, action=action)
        marker.header.frame_id = self._frame
        marker.pose.orientation.w = 1.0
        return marker
