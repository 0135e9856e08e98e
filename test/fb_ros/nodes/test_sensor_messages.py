"""A robot's standard messages, over DDS, become its state."""

from __future__ import annotations

import numpy as np
import rclpy
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile
from sensor_msgs.msg import Imu, JointState

from fb_ros.nodes.sensor_messages import subscribe_to_sensors
from fb_ros.robot.field import Field, assemble, topics_of
from fb_ros.robot.robot_state import RobotState
from sim.robots.jaco import SPEC as JACO

FIELDS = (
    Field(name="leg", source="joint_position", joints=("leg",)),
    Field(name="tcp_pos", source="tcp_position"),
    Field(name="torso_pos", source="base_position"),
    Field(name="torso_up", source="base_orientation", encoding="z_axis"),
    Field(name="torso_vel", source="base_velocity"),
    Field(name="torso_ang_vel", source="base_angular_velocity"),
    Field(name="torso_acc", source="base_acceleration"),
)


def test_a_pose_in_another_frame_or_of_no_direction_is_refused(ros: None) -> None:
    node = rclpy.create_node("reader")
    states: list[tuple[RobotState, int]] = []
    refused: list[str] = []
    subscribe_to_sensors(
        node, JACO, FIELDS[:2], lambda *state: states.append(state), refused.append
    )
    publisher = node.create_publisher(PoseStamped, "tcp_pose", QoSProfile(depth=10))
    while not publisher.get_subscription_count():
        rclpy.spin_once(node, timeout_sec=0.05)
    elsewhere, nowhere = PoseStamped(), PoseStamped()
    elsewhere.header.frame_id = "base_link"
    nowhere.pose.orientation = Quaternion(w=0.0, x=0.0, y=0.0, z=0.0)
    for message in (elsewhere, nowhere):
        before = len(refused)
        publisher.publish(message)
        while len(refused) == before:
            rclpy.spin_once(node, timeout_sec=0.05)
    assert refused[0] == "tcp_pose is in frame 'base_link', expected 'world'"
    assert "norm 0, expected a unit quaternion" in refused[1]


def test_every_topic_of_a_mobile_robot_is_read(ros: None) -> None:
    assert topics_of(FIELDS) == ("joint_states", "tcp_pose", "odom", "imu")
    node = rclpy.create_node("reader")
    states: list[tuple[RobotState, int]] = []
    refused: list[str] = []
    subscribe_to_sensors(
        node,
        JACO,
        FIELDS,
        lambda state, stamp: states.append((state, stamp)),
        refused.append,
    )
    joints = JointState(name=["tail", "leg"], position=[9.0, 0.5], velocity=[9.0, 0.0])
    pose, odom, imu = PoseStamped(), Odometry(), Imu()
    pose.pose.position = Point(x=0.1, y=0.2, z=0.3)
    odom.pose.pose.position = Point(x=1.0, y=2.0, z=3.0)
    # Upside down.
    odom.pose.pose.orientation = Quaternion(w=0.0, x=1.0, y=0.0, z=0.0)
    odom.twist.twist.linear = Vector3(x=4.0, y=5.0, z=6.0)
    imu.angular_velocity = Vector3(x=7.0, y=8.0, z=9.0)
    imu.linear_acceleration = Vector3(x=0.0, y=0.0, z=9.81)
    messages = {"joint_states": joints, "tcp_pose": pose, "odom": odom, "imu": imu}
    for topic, message in messages.items():
        message.header.stamp.sec = 7
        publisher = node.create_publisher(type(message), topic, QoSProfile(depth=1))
        while not publisher.get_subscription_count():
            rclpy.spin_once(node, timeout_sec=0.05)
        publisher.publish(message)
    while not states:
        rclpy.spin_once(node, timeout_sec=0.05)
    state, stamp = states[0]
    assert stamp == 7 * 10**9
    assert not refused
    expected = [0.5, 0.1, 0.2, 0.3, 1, 2, 3, 0, 0, -1, 4, 5, 6, 7, 8, 9, 0, 0, 9.81]
    np.testing.assert_allclose(assemble(FIELDS, state), expected, atol=1e-12)


def test_sensors_that_never_pair_are_reported(ros: None) -> None:
    node = rclpy.create_node("reader")
    reasons: list[str] = []
    subscribe_to_sensors(
        node, JACO, FIELDS[:2], lambda *state: None, lambda reason: None, reasons.append
    )
    joints = JointState(name=["leg"], position=[0.5], velocity=[0.0])
    pose = PoseStamped()
    joints.header.stamp.nanosec = 15_000_000
    for topic, message in {"joint_states": joints, "tcp_pose": pose}.items():
        publisher = node.create_publisher(type(message), topic, QoSProfile(depth=1))
        while not publisher.get_subscription_count():
            rclpy.spin_once(node, timeout_sec=0.05)
        publisher.publish(message)
    while not any("arrive" in reason for reason in reasons):
        rclpy.spin_once(node, timeout_sec=0.05)
    assert "differ by 15 ms; at most 10 ms are taken" in reasons[-1]
