"""Whoever waits for more than two seconds says so, in the log and in the diagnostics."""

from __future__ import annotations

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from fb_ros.nodes.messages import OK, WARN
from fb_ros.nodes.state_watch import StateWatch
from sim.client.robot_processes import RobotProcesses
from sim.robots.jaco import SPEC as JACO
from test.fb_ros.nodes.conftest import StartRobot


def test_a_robot_without_z_is_warned_of_once(
    start_robot: StartRobot, processes: list[RobotProcesses]
) -> None:
    client = start_robot(log_level="warn")
    expected = "waiting for z for more than 2 s; is task_inference_node running"
    client.wait_for(lambda: client.policy_state().startswith(expected), "a warning")
    assert processes[0].log("policy_node").count(f'waiting reason="{expected}') == 1
    client.wait_for_z(client.publish_goal(np.array([0.1, 0.1, 0.01])))
    client.wait_for(lambda: client.policy_state() == "moving", "a motion")


def test_the_prompts_node_tells_of_sensors_that_never_pair(ros: None) -> None:
    node = rclpy.create_node("reader")
    states = StateWatch(node, JACO)
    assert states.status("all is well") == (OK, "all is well")
    count = len(JACO.action_joints)
    joints = JointState(name=JACO.action_joints, position=[0.5] * count, velocity=[0.0] * count)
    joints.header.stamp.nanosec = 15_000_000
    for topic, message in {"joint_states": joints, "tcp_pose": PoseStamped()}.items():
        publisher = node.create_publisher(type(message), topic, QoSProfile(depth=1))
        while not publisher.get_subscription_count():
            rclpy.spin_once(node, timeout_sec=0.05)
        publisher.publish(message)
    while "arrive" not in states.status("")[1]:
        rclpy.spin_once(node, timeout_sec=0.05)
    level, text = states.status("")
    assert level == WARN
    assert "stamps of 0.000 s and 0.015 s differ by 15 ms; at most 10 ms are taken" in text
