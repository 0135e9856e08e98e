"""Standing still when a person or a fault says so."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from fb_ros.nodes.messages import to_array_message
from fb_ros.nodes.qos import STREAM
from sim.client.robot_client import RobotClient
from sim.client.robot_processes import RobotProcesses
from test.fb_ros.nodes.conftest import StartRobot

# Deep, since a stop is sent a few times and then no more.
EVERY_ONE = QoSProfile(depth=1000)
GOAL = np.array([0.2, 0.2, 0.01])


@pytest.fixture
def moving(start_robot: StartRobot) -> tuple[RobotClient, list[np.ndarray]]:
    """A robot on its way, and all commands that were sent from then on."""
    client = start_robot()
    commands: list[np.ndarray] = []
    client.create_subscription(
        Float64MultiArray, "commands", lambda m: commands.append(np.array(m.data)), EVERY_ONE
    )
    client.wait_for_z(client.publish_goal(GOAL))
    client.wait_for(lambda: bool(commands) and bool(np.any(commands[-1] != 0.0)), "a motion")
    return client, commands


def stopped(commands: list[np.ndarray]) -> bool:
    return len(commands) >= 3 and all(np.all(command == 0.0) for command in commands[-3:])


def test_an_emergency_stop_latches_until_resume(
    moving: tuple[RobotClient, list[np.ndarray]],
) -> None:
    client, commands = moving
    estop = client.create_publisher(Bool, "estop", 10)
    client.wait_for(lambda: estop.get_subscription_count() > 0, "policy_node")
    estop.publish(Bool(data=True))
    client.wait_for(lambda: stopped(commands), "zeros, several times")
    estop.publish(Bool(data=False))
    client.wait_for(
        lambda: "emergency stop" in client.policy_state(), "the diagnostics to say why"
    )
    assert stopped(commands)
    resume = client.create_client(Trigger, "policy_node/resume")
    client.wait_for(resume.service_is_ready, "the service resume")
    answer = resume.call_async(Trigger.Request())
    client.wait_for(answer.done, "resume")
    assert answer.result().success
    client.wait_for(lambda: bool(np.any(commands[-1] != 0.0)), "a motion")


def test_an_observation_of_another_length_stops_the_robot(
    moving: tuple[RobotClient, list[np.ndarray]],
) -> None:
    client, commands = moving
    publisher = client.create_publisher(Float64MultiArray, "observation", STREAM)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "policy_node")
    before = len(commands)

    def stands() -> bool:
        # Sent again until it is heard: the writer can know the reader before the reader knows it.
        publisher.publish(to_array_message(np.array([1.0, np.nan])))
        return any(np.all(command == 0.0) for command in commands[before:])

    client.wait_for(stands, "a stop command")
    client.wait_for(
        lambda: int(client.policy_figures()["refused_observations"]) > 0, "the count of refusals"
    )


def test_a_robot_whose_controller_ends_is_told_to_stand_still(
    moving: tuple[RobotClient, list[np.ndarray]], processes: list[RobotProcesses]
) -> None:
    client, commands = moving
    client.alive = lambda: None
    processes[0].end("policy_node")
    client.wait_for(lambda: stopped(commands), "zeros, several times")


def test_a_robot_that_falls_silent_is_told_to_stand_still(start_robot: StartRobot) -> None:
    """On the wall clock: without its robot, the simulated one stands still."""
    client = start_robot(use_sim_time="false")
    commands: list[np.ndarray] = []
    client.create_subscription(
        Float64MultiArray, "commands", lambda m: commands.append(np.array(m.data)), EVERY_ONE
    )
    client.wait_for_z(client.publish_goal(GOAL))
    client.wait_for(lambda: bool(commands) and bool(np.any(commands[-1] != 0.0)), "a motion")
    pause = client.create_client(SetBool, "sim_node/pause")
    client.wait_for(pause.service_is_ready, "the service pause")
    pause.call_async(SetBool.Request(data=True))
    client.wait_for(lambda: stopped(commands), "zeros, several times")
    client.wait_for(
        lambda: client.policy_figures()["stale_observations"] == "1", "the count of silences"
    )
    pause.call_async(SetBool.Request(data=False))
    client.wait_for(lambda: bool(np.any(commands[-1] != 0.0)), "a motion")


def test_a_robot_that_ends_and_comes_back_moves_again(
    start_robot: StartRobot, processes: list[RobotProcesses]
) -> None:
    client = start_robot(real_time_factor="5")
    client.alive = lambda: None
    times: list[int] = []
    client.create_subscription(Clock, "/clock", lambda m: times.append(m.clock.sec), STREAM)
    client.wait_for_z(client.publish_goal(GOAL))
    client.wait_for(lambda: client.policy_state() == "moving", "a motion")
    client.wait_for(lambda: bool(times) and times[-1] >= 10, "its clock to go on for a while")
    processes[0].end("sim_node", signal.SIGKILL)
    processes[0].start("sim_node")
    # Its clock begins at zero again.
    client.wait_for(
        lambda: int(client.policy_figures().get("clock_jumps", "0")) > 0, "the jump to be noticed"
    )
    client.wait_for(lambda: client.policy_state() == "moving", "a motion")
