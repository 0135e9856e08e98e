"""A robot that keeps velocities, through its nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diagnostic_msgs.msg import DiagnosticStatus
from nav_msgs.msg import Odometry
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import label_of
from fb_ros.nodes.qos import STREAM
from sim.client.walking_client import WalkingClient
from sim.robots.go2 import SPEC, STANCE
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.square import show_square, walk_square
from test.fb_ros.nodes.conftest import StartRobot, running_robot, stepped
from test.fb_ros.nodes.test_mobile_robots import pose_and_twist
from training.agents.agent_config import AgentConfig
from training.exporting.untrained import write_untrained


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with random weights, which knows states around standing."""
    environment = make_environment("go2")
    environment.reset(episode_rng(0, 0))
    rng = np.random.default_rng(0)
    observation, features = [], []
    for _ in range(100):
        environment.step(STANCE + rng.normal(scale=0.1, size=STANCE.shape))
        observation.append(environment.observation())
        features.append(environment.features())
    agent = AgentConfig(
        algorithm="fb",
        d=8,
        hidden=16,
        backward_hidden=16,
        features=("torso_vel", "torso_ang_vel", "torso_up", "torso_height"),
    )
    folder = tmp_path_factory.mktemp("models") / SPEC.name
    seen, observed = (torch.from_numpy(np.stack(rows)).float() for rows in (features, observation))
    write_untrained(agent, SPEC, seen, observed, folder)
    return folder


def test_the_command_before_is_observed_alike_from_vector_and_sensors(
    ros: None, bundle: Path
) -> None:
    runs, sent = [], []
    for source in ("vector", "sensors"):
        options: dict[str, Any] = {
            "bundle": str(bundle),
            "lockstep": "true",
            "observation_source": source,
        }
        with running_robot(bundle.parent, "go2", **options) as client:
            commands: dict[str, np.ndarray] = {}
            client.create_subscription(
                Float64MultiArray,
                "commands",
                lambda m, commands=commands: commands.update({label_of(m): np.array(m.data)}),
                STREAM,
            )
            step = stepped(client, Odometry, "odom", pose_and_twist)
            client.wait_for_z(client.publish_skill("velocity(0, 0, 0, 0, 0, 0)"))
            runs.append(step(20))
            last = str(round(client.now() * 1e9))
            client.wait_for(
                lambda last=last, commands=commands: last in commands,  # type: ignore[misc]
                "the answer to the last state",
            )
            sent.append(commands[last])
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(sent[0], sent[1])
    assert np.all((sent[0] >= SPEC.action_low) & (sent[0] <= SPEC.action_high))


def test_a_velocity_is_kept_and_one_that_no_data_show_is_refused(
    ros: None, start_robot: StartRobot, bundle: Path
) -> None:
    start_robot("go2", bundle=str(bundle), lockstep="true")
    walker = WalkingClient("go2", frame=SPEC.frame)
    try:
        accepted = walker.publish_velocity(0.0, 0.0, 0.0)
        assert accepted.level in (DiagnosticStatus.OK, DiagnosticStatus.WARN)
        refused = walker.publish_velocity(3.0, 0.0, 0.0)
        assert refused.level == DiagnosticStatus.ERROR
        assert "no data show velocity(3, 0, 0, 0, 0, 0)" in refused.message
        assert walker.whereabouts().up > 0.9
    finally:
        walker.destroy_node()


def test_the_shipped_robot_walks_a_square_by_published_velocities(
    start_robot: StartRobot, root: Path
) -> None:
    start_robot("go2", bundle=str(root / "models" / "go2"), lockstep="true")
    walker = WalkingClient("go2", frame=SPEC.frame)
    walker.lockstep = True
    try:
        walked = walk_square(walker)
    finally:
        walker.destroy_node()
    assert walked["ok"], show_square(walked)
