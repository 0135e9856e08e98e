"""The square: walked by whoever keeps velocities, and by the shipped robot with legs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.policy import Policy
from fb_ros.prompts.prompt import Velocity
from fb_ros.task_inference.reward_inference import RewardInference
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf, policy_commands
from sim.tasks.simulated_walker import SimulatedWalker
from sim.tasks.square import SIDE_M, Whereabouts, show_square, walk_square

DT = 0.02


class Unicycle:
    """Keeps a velocity exactly, or a share of it."""

    def __init__(self, share: float = 1.0, *, heading: float = 0.0) -> None:
        self._share, self._asked = share, np.zeros(3)
        self._seconds, self._position, self._heading = 0.0, np.array([3.0, -1.0]), heading
        self.way: list[np.ndarray] = []

    def ask_velocity(self, vx: float, vy: float, wz: float) -> None:
        self._asked = self._share * np.array([vx, vy, wz])

    def whereabouts(self) -> Whereabouts:
        return Whereabouts(
            seconds=self._seconds, position=self._position, heading=self._heading, up=1.0
        )

    def wait_until(self, seconds: float) -> Whereabouts:
        while self._seconds < seconds:
            ahead = np.array([np.cos(self._heading), np.sin(self._heading)])
            self._position = self._position + DT * self._asked[0] * ahead
            self._heading += DT * self._asked[2]
            self._seconds += DT
            self.way.append(self._position)
        return self.whereabouts()


@pytest.mark.parametrize("heading", [0.0, 2.0, -3.0])
def test_who_keeps_velocities_walks_a_square_of_its_own_heading(heading: float) -> None:
    walker = Unicycle(heading=heading)
    walked = walk_square(walker)
    assert walked["ok"]
    assert len(walked["sides"]) == 4
    ahead = np.array([np.cos(heading), np.sin(heading)])
    left = np.array([-ahead[1], ahead[0]])
    reach = np.stack(walker.way) - [3.0, -1.0]
    for way in (ahead, left):
        assert (reach @ way).max() == pytest.approx(SIDE_M, abs=0.3)
        assert (reach @ way).min() == pytest.approx(0.0, abs=0.3)


def test_who_hardly_moves_misses_the_corners() -> None:
    walked = walk_square(Unicycle(0.05))
    assert not walked["ok"]
    assert "MISSED" in show_square(walked)


def test_the_shipped_robot_with_legs_walks_it(root: Path) -> None:
    bundle = load_bundle(root / "models" / "go2")
    policy = Policy(bundle, "onnxruntime", "fp32")
    inference = RewardInference(bundle, "onnxruntime")
    environment = make_environment("go2")
    environment.reset(episode_rng(0, 0))

    def keeps(asked: np.ndarray) -> CommandOf:
        vx, vy, wz = (float(value) for value in asked)
        z = inference.infer(Velocity(linear=(vx, vy, 0.0), angular=(0.0, 0.0, wz))).z
        return policy_commands(bundle.robot, policy, z)

    steps: list[Whereabouts] = []
    walked = walk_square(SimulatedWalker(environment, keeps, steps.append))
    assert walked["ok"], show_square(walked)
    assert len(steps) * bundle.robot.ctrl_dt == pytest.approx(steps[-1].seconds)
