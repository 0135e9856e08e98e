"""Reasons to doubt an episode: numbers that could be right, but seldom are."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment
from training.data.episode import Episode
from training.data.recording import Recording

# Motion of a row below this is noise, rad or m, root mean square.
_LEAST_MOTION = 2e-3
# Fewer rows are not enough for a doubt.
_LEAST_ROWS = 5
# Share of the motion, squared, that velocities may leave unexplained.
_UNEXPLAINED = 0.5
# Number of rows per episode whose physics are checked; each costs a pass through the model.
_MOST_ROWS = 300
# A joint is too fast above this many times its limit.
_TOO_FAST = 2.0
# A tool this far from the middle of the goals, in diagonals of their box, is elsewhere.
_FAR = 5.0


@dataclasses.dataclass
class _Joint:
    """Sums over all rows, for one joint or for the body as a whole."""

    rows: int = 0
    apart: float = 0.0
    """Sum of the squared difference between a row's two motions."""
    moved: float = 0.0
    """Sum of the squared motion by positions."""
    promised: float = 0.0
    """Sum of the squared motion by velocities and period."""
    speeds: list[float] = dataclasses.field(default_factory=list)
    """A high speed of each episode, rad/s or m/s."""
    beyond: int = 0
    """Rows beyond the joint's limits."""
    farthest: float = 0.0


class Doubts:
    """Collects the episodes of one source, and reports what is odd about them."""

    def __init__(self, spec: RobotSpec, environment: Environment) -> None:
        self._spec, self._environment = spec, environment
        self._joints: dict[str, _Joint] = {}
        self._commands, self._cut_off = 0, 0
        self._distances: list[float] = []

    def add(self, recording: Recording, episode: Episode) -> None:
        """Adds one episode, and the recording that it was made from."""
        spec = self._spec
        self._commands += episode.steps
        self._cut_off += recording.cut_off
        for name, position, velocity in self._motions(recording, episode):
            self._add_motion(name, position, velocity)
        goal = layout_slices(spec.features)[spec.goal_feature]
        middle = 0.5 * (np.asarray(spec.goal_low) + np.asarray(spec.goal_high))
        away = np.linalg.norm(episode.features[:, goal] - middle, axis=1)
        self._distances.append(float(np.median(away)))

    def _motions(
        self, recording: Recording, episode: Episode
    ) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Name, position `(n,)` and velocity `(n,)` of each joint for which both are known."""
        spec = self._spec
        if recording.motion:
            for name, (position, velocity) in recording.motion.items():
                yield name, position, velocity
        elif episode.physics.shape[1]:
            state = self._environment.robot_states(episode.physics[:_MOST_ROWS])
            for index, name in enumerate(state.joint_names):
                yield name, state.joint_position[:, index], state.joint_velocity[:, index]
        else:
            slices = layout_slices(spec.features)
            pairs = {
                field.source: field
                for field in spec.features
                if field.encoding == "identity" and field.joints
            }
            if {"joint_position", "joint_velocity"} <= set(pairs):
                first, second = pairs["joint_position"], pairs["joint_velocity"]
                positions = episode.features[:, slices[first.name]].astype(np.float64)
                rates = episode.features[:, slices[second.name]].astype(np.float64)
                for index, name in enumerate(first.joints):
                    if name in second.joints:
                        yield name, positions[:, index], rates[:, second.joints.index(name)]

    def _add_motion(self, name: str, position: np.ndarray, velocity: np.ndarray) -> None:
        sums = self._joints.setdefault(name, _Joint())
        moved = np.diff(position)
        # A whole turn changes nothing; no joint makes half a turn within a row.
        moved = np.where(np.abs(moved) > np.pi, (moved + np.pi) % (2 * np.pi) - np.pi, moved)
        promised = 0.5 * (velocity[1:] + velocity[:-1]) * self._spec.ctrl_dt
        sums.rows += len(moved)
        sums.apart += float(np.square(moved - promised).sum())
        sums.moved += float(np.square(moved).sum())
        sums.promised += float(np.square(promised).sum())
        sums.speeds.append(float(np.quantile(np.abs(velocity), 0.9)))
        low, high = self._limits(name)
        margin = 0.1 + 0.1 * (high - low if np.isfinite(high - low) else 0.0)
        outside = (position < low - margin) | (position > high + margin)
        turned = position[outside, None] + 2.0 * np.pi * np.array([-1, 1])
        outside[outside] = ~np.any((turned >= low - margin) & (turned <= high + margin), axis=1)
        sums.beyond += int(outside.sum())
        if outside.any():
            sums.farthest = float(position[outside][np.argmax(np.abs(position[outside]))])

    def texts(self) -> list[str]:
        """One sentence for each oddity."""
        spec, found = self._spec, []
        for name, one in self._joints.items():
            unit = "another unit?"
            still = max(one.moved, one.promised) <= one.rows * _LEAST_MOTION**2
            larger = max(one.moved, one.promised)
            if one.rows >= _LEAST_ROWS and not still and one.apart > _UNEXPLAINED * larger:
                by_position = np.sqrt(one.moved / one.rows)
                by_velocity = np.sqrt(one.promised / one.rows)
                found.append(
                    f"{name} moves by {by_position:.3g} a row by its positions, and by "
                    f"{by_velocity:.3g} by its velocities times {spec.ctrl_dt:g} s: another order "
                    "of the joints, another unit or another period?"
                )
            low, high = self._limits(name)
            if one.beyond > 0.01 * one.rows + 1:
                found.append(
                    f"{name} is beyond its limits, {low:.3g} to {high:.3g}, in {one.beyond} rows, "
                    f"at {one.farthest:.3g}: {unit}"
                )
            limit = self._of_joint(spec.velocity_limit, name)
            fast = float(np.median(one.speeds)) if one.speeds else 0.0
            if limit is not None and fast > _TOO_FAST * limit:
                found.append(
                    f"{name} moves at {fast:.3g} a second, its limit is {limit:.3g}: {unit}"
                )
        size = float(np.linalg.norm(np.subtract(spec.goal_high, spec.goal_low)))
        away = float(np.median(self._distances)) if self._distances else 0.0
        if self._environment.confined and away > _FAR * size:
            found.append(
                f"{spec.goal_feature} is {away:.3g} from the middle of the goals, which are "
                f"within {0.5 * size:.3g} of it: another unit or another frame?"
            )
        if 2 * self._cut_off > self._commands:
            found.append(
                f"{self._cut_off} of {self._commands} commands were beyond the robot's limits: "
                "another unit or another order?"
            )
        return found

    def _limits(self, name: str) -> tuple[float, float]:
        low = self._of_joint(self._spec.joint_low, name)
        high = self._of_joint(self._spec.joint_high, name)
        return (-np.inf if low is None else low), (np.inf if high is None else high)

    def _of_joint(self, values: tuple[float | None, ...], name: str) -> float | None:
        joints = self._spec.action_joints
        return values[joints.index(name)] if values and name in joints else None
