"""Prompts to try on a walking quadruped."""

from __future__ import annotations

import numpy as np

from sim.tasks.prompt_example import PromptExample, Seen, mostly

# How far off the mean velocity of the last second may be: a second is two strides.
_OFF_MPS, _OFF_RADPS = 0.2, 0.3


def _keeps(seen: Seen, vx: float, vy: float, wz: float) -> bool:
    """Whether it is upright and keeps a velocity, m/s and rad/s."""
    speed = seen["torso_vel"][:, :2].mean(axis=0) - [vx, vy]
    turn = seen["torso_ang_vel"][:, 2].mean() - wz
    upright = mostly(seen["torso_up"][:, 2] > 0.8)
    return bool(np.linalg.norm(speed) < _OFF_MPS and abs(turn) < _OFF_RADPS and upright)


def _forwards(seen: Seen) -> float:
    return float(seen["torso_vel"][:, 0].mean())


def _turn(seen: Seen) -> float:
    return float(seen["torso_ang_vel"][:, 2].mean())


GO2_PROMPTS = (
    PromptExample(
        name="walk",
        text="velocity(0.5, 0, 0, 0, 0, 0)",
        expected="it walks straight ahead, half a metre a second",
        judge=lambda seen: _keeps(seen, 0.5, 0.0, 0.0),
    ),
    PromptExample(
        name="turn on the spot",
        text="velocity(0, 0, 0, 0, 0, 0.8)",
        expected="it turns to the left where it is, once around in eight seconds",
        judge=lambda seen: _keeps(seen, 0.0, 0.0, 0.8),
    ),
    PromptExample(
        name="sideways",
        text="velocity(0, 0.3, 0, 0, 0, 0)",
        expected="it walks to its left, 0.3 m a second, without turning",
        judge=lambda seen: _keeps(seen, 0.0, 0.3, 0.0),
    ),
    PromptExample(
        name="a curve",
        text="velocity(0.6, 0, 0, 0, 0, -0.6)",
        expected="it walks in a circle to the right, of a metre's radius",
        judge=lambda seen: _keeps(seen, 0.6, 0.0, -0.6),
    ),
    PromptExample(
        name="stand",
        text="velocity(0, 0, 0, 0, 0, 0)",
        expected="it stands on its feet",
        judge=lambda seen: (
            mostly(np.linalg.norm(seen["torso_vel"], axis=1) < 0.1)
            and mostly(seen["torso_height"][:, 0] > 0.22)
        ),
    ),
    PromptExample(
        name="straight and not too slow",
        text="reward(torso_up[2] * (torso_vel[0] > 0.4) - 0.2*abs(torso_ang_vel[2]))",
        expected="it walks ahead, faster than 0.4 m/s, and hardly turns",
        judge=lambda seen: _forwards(seen) > 0.4 and abs(_turn(seen)) < 0.3,
    ),
    PromptExample(
        name="a fast curve",
        text="reward((torso_vel[0] > 0.3) * (torso_ang_vel[2] > 0.4))",
        expected="it walks faster than 0.3 m/s and turns left by more than 0.4 rad/s",
        judge=lambda seen: _forwards(seen) > 0.3 and _turn(seen) > 0.4,
    ),
    PromptExample(
        name="as fast as it goes",
        text="reward(torso_vel[0])",
        expected="it walks ahead, faster than 0.7 m/s",
        judge=lambda seen: _forwards(seen) > 0.7,
    ),
    PromptExample(
        name="crouch",
        text="reward(-abs(torso_height - 0.2))",
        expected="its torso comes down to 20 cm above the floor, within 4 cm",
        judge=lambda seen: mostly(np.abs(seen["torso_height"][:, 0] - 0.2) < 0.04),
    ),
    PromptExample(
        name="hold still",
        text="reward(-norm(torso_vel) - 0.3*norm(torso_ang_vel))",
        expected="it stops where it is",
        judge=lambda seen: mostly(np.linalg.norm(seen["torso_vel"], axis=1) < 0.1),
    ),
)
