"""Data for RViz and Foxglove to draw a robot: its description, and the poses of its links."""

from __future__ import annotations

from typing import Any

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import TransformStamped
from rclpy.node import Node
from std_msgs.msg import String

from fb_ros.nodes.qos import LATCHED, STREAM
from sim.robots.environment import Environment
from sim.robots.link_tree import WORLD, joint_transform, link_tree
from sim.robots.urdf import urdf_of


class DescriptionPublisher:
    """Publishes `robot_description` once, latched, and `tf` with every state.

    `tf` is a relative topic like all others, so that robots of the same kind do not share links.
    It needs `tf2_msgs`, which is not on PyPI, and is left out where that is missing.
    """

    def __init__(self, node: Node, environment: Environment) -> None:
        self._environment = environment
        self._tree = link_tree(environment.model, environment.model_joints)
        description = node.create_publisher(String, "robot_description", LATCHED)
        description.publish(
            String(data=urdf_of(environment.spec, environment.model, environment.model_joints))
        )
        self._kind: Any = None
        try:
            from tf2_msgs.msg import TFMessage
        except ModuleNotFoundError:
            return
        self._kind = TFMessage
        self._tf = node.create_publisher(TFMessage, "tf", STREAM)

    def publish(self, stamp: TimeMessage) -> None:
        """Publishes the present poses of the links."""
        if self._kind is not None:
            self._tf.publish(self._kind(transforms=self.transforms(stamp)))

    def transforms(self, stamp: TimeMessage) -> list[TransformStamped]:
        """One transform for each joint, from its parent's link to its child's."""
        environment = self._environment
        found = []
        for joint in self._tree:
            place, turn = joint_transform(joint, environment.model, environment.data.qpos)
            message = TransformStamped(child_frame_id=joint.child)
            message.header.stamp = stamp
            root = joint.parent == WORLD
            message.header.frame_id = environment.spec.frame if root else joint.parent
            translation, rotation = message.transform.translation, message.transform.rotation
            translation.x, translation.y, translation.z = (float(value) for value in place)
            rotation.w, rotation.x, rotation.y, rotation.z = (float(value) for value in turn)
            found.append(message)
        return found
