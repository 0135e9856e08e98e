"""Robots that move about, through the same nodes: odometry and an IMU instead of a tool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import Trigger

from fb_ros.cli import main
from fb_ros.nodes.qos import PROMPT, STREAM
from fb_ros.prompts.prompt import Velocity
from sim.client.robot_client import RobotClient
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from test.fb_ros.nodes.conftest import StartRobot, running_robot, stepped
from training.agents.agent_config import AgentConfig
from training.exporting.untrained import write_untrained

WALK = "reward(torso_up[2] * torso_vel[0])"


@pytest.fixture(scope="module", params=["walker", "quadruped"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, which knows states of random motion."""
    environment = make_environment(request.param)
    spec = environment.spec
    environment.reset(episode_rng(0, 0))
    actions = np.random.default_rng(0).uniform(-1, 1, size=(50, spec.act_dim))
    observation, features = [], []
    for action in actions:
        environment.step(spec.command_from_action(action))
        observation.append(environment.observation())
        features.append(environment.features())
    agent = AgentConfig(
        algorithm="fb",
        d=8,
        hidden=16,
        backward_hidden=16,
        features=("torso_height", "torso_up", "torso_vel", "torso_ang_vel"),
    )
    folder = tmp_path_factory.mktemp("models") / spec.name
    write_untrained(agent, spec, _stacked(features), _stacked(observation), folder)
    return folder


def _stacked(rows: list[np.ndarray]) -> torch.Tensor:
    return torch.from_numpy(np.stack(rows)).float()


def pose_and_twist(message: Odometry) -> np.ndarray:
    point, linear = message.pose.pose.position, message.twist.twist.linear
    turn, angular = message.pose.pose.orientation, message.twist.twist.angular
    vectors = [[part.x, part.y, part.z] for part in (point, turn, linear, angular)]
    return np.array([*np.concatenate(vectors), turn.w])


def walk(client: RobotClient, steps: int = 30) -> np.ndarray:
    """Pose and twist of the body after each step."""
    step = stepped(client, Odometry, "odom", pose_and_twist)
    client.wait_for_z(client.publish_skill(WALK))
    return step(steps)


def test_odometry_and_imu_drive_the_robot_as_the_vector_does(ros: None, bundle: Path) -> None:
    runs = []
    for source in ("vector", "sensors"):
        options: dict[str, Any] = {
            "bundle": str(bundle),
            "lockstep": "true",
            "observation_source": source,
        }
        with running_robot(bundle.parent, bundle.name, **options) as client:
            runs.append(walk(client))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert np.ptp(runs[0][:, :3], axis=0).max() > 0.01, "nothing moved"


def test_a_velocity_is_a_prompt_and_a_point_that_b_does_not_read_is_refused(
    start_robot: StartRobot, bundle: Path
) -> None:
    client = start_robot(bundle.name, bundle=str(bundle), lockstep="true")
    answers: list[DiagnosticStatus] = []
    client.create_subscription(DiagnosticStatus, "prompt/status", answers.append, PROMPT)
    publisher = client.create_publisher(TwistStamped, "prompt/velocity", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "a listener")
    message = TwistStamped()
    message.twist.linear.x = 0.1
    publisher.publish(message)
    text = Velocity(linear=(0.1, 0.0, 0.0), angular=(0.0, 0.0, 0.0)).text
    client.wait_for(lambda: any(text in answer.message for answer in answers), "an answer")
    assert answers[-1].level in (DiagnosticStatus.OK, DiagnosticStatus.WARN)
    refused = client.publish_goal(np.array([1.0, 0.0, 0.5]))
    assert refused.level == DiagnosticStatus.ERROR
    assert "does not read torso_pos; it reads torso_height" in refused.message


def test_a_demo_of_goals_that_b_does_not_read_names_the_way_out(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--bundle", str(bundle)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "does not read torso_pos; start it with --stay" in line


@pytest.mark.parametrize("bundle", ["quadruped"], indirect=True)
def test_a_robot_of_position_servos_is_held_where_it_is(
    start_robot: StartRobot, bundle: Path
) -> None:
    spec = make_environment(bundle.name).spec
    client = start_robot(bundle.name, bundle=str(bundle), lockstep="true")
    observed: list[np.ndarray] = []
    commands: list[np.ndarray] = []
    for topic, found in (("observation", observed), ("commands", commands)):
        client.create_subscription(
            Float64MultiArray,
            topic,
            lambda message, found=found: found.append(np.array(message.data)),
            STREAM,
        )
    walk(client, steps=5)
    stop = client.create_client(Trigger, "policy_node/stop")
    client.wait_for(stop.service_is_ready, "the service stop")
    client.wait_for(stop.call_async(Trigger.Request()).done, "the answer to stop")

    def held() -> bool:
        servos = np.clip(observed[-1][-spec.act_dim :], spec.action_low, spec.action_high)
        return bool(np.abs(servos).max() > 0.01 and np.array_equal(commands[-1], servos))

    client.wait_for(held, "the command to stay where it is")
