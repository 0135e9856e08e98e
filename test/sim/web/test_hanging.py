"""Bodies that hang on others, as a browser composes them."""

from __future__ import annotations

import numpy as np
import pytest

from sim.robots.registry import make_environment
from sim.web.body_meshes import body_meshes
from sim.web.hanging import Hanging
from sim.web.poses import BodyPoses, multiply, rotate


@pytest.mark.parametrize("robot", ["jaco", "point_mass", "quadruped", "go2"])
def test_carried_poses_compose_to_those_in_the_world(robot: str) -> None:
    environment = make_environment(robot, "standing")
    poses = BodyPoses(environment)
    parts = body_meshes(environment.model, fixed=False)
    carriers = {part.body: part.carrier for part in parts}
    hanging = Hanging(carriers)
    shifts: dict[int, np.ndarray] = {}
    turns: dict[int, np.ndarray] = {}
    rng = np.random.default_rng(0)
    for _ in range(3):
        joints = {name: rng.uniform(-1.0, 1.0) for name in environment.joint_names}
        positions, quaternions = poses.of(joints)
        shifted, turned = hanging.changes(positions, quaternions)
        shifts |= shifted
        turns |= turned
        placed: dict[int | None, tuple[np.ndarray, np.ndarray]] = {
            None: (np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))
        }
        for body, carrier in carriers.items():
            where, turn = placed[carrier]
            placed[body] = where + rotate(turn, shifts[body][None])[0], multiply(turn, turns[body])
            np.testing.assert_allclose(placed[body][0], positions[body], atol=1e-5)
            likeness = abs(placed[body][1] @ quaternions[body])
            assert likeness == pytest.approx(1.0, abs=1e-6)


def test_a_joint_costs_one_orientation() -> None:
    environment = make_environment("jaco", "standing")
    poses = BodyPoses(environment)
    parts = body_meshes(environment.model, fixed=False)
    hanging = Hanging({part.body: part.carrier for part in parts})
    hanging.changes(*poses.of({}))
    assert hanging.changes(*poses.of({})) == ({}, {})
    first = environment.joint_names[0]
    shifted, turned = hanging.changes(*poses.of({first: 1.0}))
    assert (len(shifted), len(turned)) == (0, 1)
