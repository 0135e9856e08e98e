"""Keeping velocities: the commands, how they are run, and figures of how well they are kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from fb_ros.robot.rotation import upright
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf
from sim.tasks.tasks import EPISODE_SECONDS

VELOCITY = "velocity"
# Range of a quadruped's commands: forwards and sideways, m/s, and turning, rad/s; a fifth of them
# ask it to stand.
LOW, HIGH, STANDING = (-0.6, -0.4, -1.2), (1.0, 0.4, 1.2), 0.2
# The mean velocity is over the last seconds of an episode; these errors count as kept.
MEASURED_SECONDS, KEPT_MPS, KEPT_RADPS = 6.0, 0.15, 0.25
# Pushes: the time between them, and the change of the torso's speed.
PUSH_SECONDS, PUSH_MPS = 3.0, 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kept:
    """The outcome of one command."""

    asked: np.ndarray
    """The command (vx, vy, wz), m/s and rad/s."""
    mean: np.ndarray
    """The mean velocity at the end, in the same units."""
    fell: bool
    drift: float
    """Distance between the robot's start and end, m."""
    return_: float
    """Sum over the steps of how well the mean velocity of the last half second was kept, 0 to
    1."""


ControllerFor = Callable[[np.ndarray], CommandOf]
"""Makes a controller that keeps (vx, vy, wz)."""


def asked_velocity(seed: int, episode: int) -> np.ndarray:
    """The command (vx, vy, wz) of an episode; it depends only on the seed and the episode's
    number."""
    rng = np.random.default_rng(np.random.SeedSequence([seed, episode, 2]))
    standing = rng.uniform() < STANDING
    drawn: np.ndarray = rng.uniform(LOW, HIGH)
    return np.zeros(3) if standing else drawn


def require_velocity(robot: RobotSpec) -> None:
    """Refuses a robot that lacks a velocity in three dimensions or an upright component."""
    if len(robot.velocity_features) != 2 or robot.fallen_below is None:
        raise FbRosError(f"robot {robot.name} has no velocity that could be kept")


def keep_velocities(
    environment: Environment,
    controller_for: ControllerFor,
    *,
    episodes: int,
    seed: int,
    pushes: bool = False,
    on_and_on: bool = False,
) -> Iterator[Kept]:
    """Runs one command per episode, from standing, or `on_and_on` without a stop between them.

    After a fall the robot is put back on its feet.
    """
    standing = True
    for episode in range(episodes):
        rng = episode_rng(seed, episode)
        if not on_and_on or standing:
            environment.reset(rng)
        asked = asked_velocity(seed, episode)
        kept = _keep(environment, controller_for(asked), asked, rng if pushes else None)
        standing = kept.fell
        yield kept


def _keep(
    environment: Environment,
    command_of: CommandOf,
    asked: np.ndarray,
    pushes: np.random.RandomState | None,
) -> Kept:
    dt = environment.spec.ctrl_dt
    steps, every = round(EPISODE_SECONDS / dt), round(PUSH_SECONDS / dt)
    velocities, fell = np.zeros((steps, 3)), False
    fallen_below = environment.spec.fallen_below or 0.0
    start = _place(environment.robot_state())
    for step in range(steps):
        if pushes is not None and step and step % every == 0:
            way = pushes.uniform(-np.pi, np.pi)
            push = np.zeros(6)
            push[:2] = PUSH_MPS * np.cos(way), PUSH_MPS * np.sin(way)
            environment.push(push)
        environment.step(command_of(environment))
        state = environment.robot_state()
        velocities[step] = planar_velocity(state)
        assert state.base_orientation is not None
        if upright(state.base_orientation) < fallen_below:
            fell = True
            break
    drift = float(np.linalg.norm(_place(environment.robot_state()) - start))
    mean = velocities[-round(MEASURED_SECONDS / dt) :].mean(axis=0)
    return Kept(
        asked=asked, mean=mean, fell=fell, drift=drift, return_=_return(velocities, asked, dt)
    )


def _return(velocities: np.ndarray, asked: np.ndarray, dt: float) -> float:
    window = round(0.5 / dt)
    total = np.cumsum(np.concatenate([np.zeros((window, 3)), velocities]), axis=0)
    recent = (total[window:] - total[:-window]) / window
    off = (recent - asked) / (KEPT_MPS, KEPT_MPS, KEPT_RADPS)
    return float(np.exp(-0.5 * np.square(off).sum(axis=1)).sum())


def velocity_figures(kept: Sequence[Kept]) -> dict[str, Any]:
    """Success, falls and errors over episodes; a fall is no success.

    Errors are of the mean velocity over the last six seconds; episodes with falls count as far as
    they went. The drift is the largest among the commands to stand.
    """
    asked = np.stack([one.asked for one in kept])
    off = np.stack([one.mean for one in kept]) - asked
    fell = np.array([one.fell for one in kept])
    speed, turn = np.linalg.norm(off[:, :2], axis=1), np.abs(off[:, 2])
    still = [one.drift for one in kept if not np.any(one.asked)]
    return {
        "success": float(np.mean((speed <= KEPT_MPS) & (turn <= KEPT_RADPS) & ~fell)),
        "falls": float(fell.mean()),
        "mean_velocity_error_mps": float(speed.mean()),
        "mean_yaw_rate_error_radps": float(turn.mean()),
        "mean_return": float(np.mean([one.return_ for one in kept])),
        "largest_standing_drift_m": max(still) if still else 0.0,
        "episodes": len(kept),
    }


def planar_velocity(state: RobotState) -> np.ndarray:
    """Velocity (vx, vy, wz) of the torso in its own frame."""
    assert state.base_velocity is not None
    assert state.base_angular_velocity is not None
    return np.array([*state.base_velocity[:2], state.base_angular_velocity[2]])


def _place(state: RobotState) -> np.ndarray:
    assert state.base_position is not None
    place: np.ndarray = state.base_position[:2]
    return place
