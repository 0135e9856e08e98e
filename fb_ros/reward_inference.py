"""From what a person asks for to the task encoding `z`."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.backends.backend import Backend
from fb_ros.bundle import TASK_ENCODER, Bundle
from fb_ros.errors import FbRosError
from fb_ros.field import layout_slices


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalAnswer:
    """The encoding of a goal, and how well the data cover it."""

    z: np.ndarray
    """Task encoding, `(z_dim,)`, float32."""
    goal: np.ndarray
    """The goal that was asked for, in the unit of the robot's goal feature."""
    encoded: np.ndarray
    """The point that `z` stands for: the goal, or the nearest one in the data."""
    outside: float
    """Distance from the goal to the nearest reference state, same unit."""

    @property
    def reachable(self) -> bool:
        """Whether the data come near the goal; if not, `encoded` is as near as they come."""
        return bool(np.array_equal(self.goal, self.encoded))


class TaskEncoder:
    """The chain of auto-regressive blocks of one bundle."""

    def __init__(self, bundle: Bundle, backend: str = "auto") -> None:
        self._bundle = bundle
        robot = bundle.robot
        self._goal_feature = robot.feature(robot.goal_feature)
        if bundle.encoder_features != (robot.goal_feature,):
            raise FbRosError(
                f"the model reads {', '.join(bundle.encoder_features)}; goal points need one that "
                f"reads {robot.goal_feature} alone"
            )
        column = layout_slices(robot.features)[robot.goal_feature]
        self._seen = np.asarray(bundle.reference_features[:, column], dtype=np.float64)
        self._graph: Backend = bundle.load_graph(TASK_ENCODER, backend)

    def example_goal(self) -> np.ndarray:
        """A goal that the data cover, `(goal feature,)`."""
        return self._seen[0]

    def encode(self, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """`z` of states `(n, encoder features)` weighted by `(n,)`: block by block, `(z_dim,)`."""
        return self._graph.run({"features": features, "weights": weights})[0]

    def encode_goal(self, goal: np.ndarray) -> GoalAnswer:
        """`z` of the reward that is a Dirac at `goal`, in the unit of the goal feature.

        A goal further from the data than the goal radius is replaced by the nearest reference
        state: `B` means nothing where it was never trained, and this is the nearest that the
        robot is known to get.
        """
        goal = np.asarray(goal, dtype=np.float64)
        if goal.shape != (self._goal_feature.size,):
            raise FbRosError(
                f"goal has {goal.size} numbers, {self._goal_feature.name} has "
                f"{self._goal_feature.size}"
            )
        if not np.all(np.isfinite(goal)):
            raise FbRosError(f"goal {_text(goal)} is not finite; publish finite numbers")
        # |s - g|^2 orders the states as |s|^2 - 2 s.g does. In units of the largest coordinate,
        # since the square of a huge goal would overflow, and swallow the states before that.
        unit = max(1.0, float(np.abs(goal).max()))
        order = np.square(self._seen).sum(axis=1) / unit - 2.0 * self._seen @ (goal / unit)
        nearest = int(np.argmin(order))
        outside = float(np.linalg.norm(self._seen[nearest] / unit - goal / unit)) * unit
        encoded = goal if outside <= self._bundle.robot.goal_radius else self._seen[nearest]
        z = self.encode(encoded[None], np.ones(1))
        return GoalAnswer(z=z, goal=goal, encoded=encoded, outside=outside)


def _text(point: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in point) + ")"
