"""The topics on which a robot publishes its state."""

from __future__ import annotations

from builtin_interfaces.msg import Time as TimeMessage
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import to_array_message
from fb_ros.nodes.qos import STREAM
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from sim.node.robot_messages import imu_of, joint_states_message, odometry_of, tcp_pose_of


class StatePublisher:
    """Publishes a state on the topics that this kind of robot has."""

    def __init__(self, node: Node, spec: RobotSpec, state: RobotState) -> None:
        """`state` is any state of the robot; it shows whether the robot has a tool or a body."""
        self._spec = spec
        self._joint_states = node.create_publisher(JointState, "joint_states", STREAM)
        tool, body = state.tcp_position is not None, state.base_position is not None
        self._tcp_pose = node.create_publisher(PoseStamped, "tcp_pose", STREAM) if tool else None
        self._odom = node.create_publisher(Odometry, "odom", STREAM) if body else None
        self._imu = node.create_publisher(Imu, "imu", STREAM) if body else None
        self._observation = node.create_publisher(Float64MultiArray, "observation", STREAM)

    def publish(self, state: RobotState, stamp: TimeMessage, label: str) -> None:
        """Publishes `state`; the command that answers it carries the same `label`."""
        self._joint_states.publish(
            joint_states_message(
                stamp, state.joint_names, state.joint_position, state.joint_velocity
            )
        )
        if self._tcp_pose is not None:
            self._tcp_pose.publish(tcp_pose_of(stamp, self._spec.frame, state))
        if self._odom is not None:
            self._odom.publish(odometry_of(stamp, self._spec.frame, state))
        if self._imu is not None:
            self._imu.publish(imu_of(stamp, state))
        observation = assemble(self._spec.observation, state)
        self._observation.publish(to_array_message(observation, label))
