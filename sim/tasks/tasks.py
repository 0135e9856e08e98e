"""Named tasks of the simulated robots, each with its pure reward."""

from __future__ import annotations

import dataclasses

import numpy as np
from dm_control.utils.rewards import tolerance

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.tasks.episode_seed import episode_goal

# ExORL's four Jaco targets, in metres: corners of a square just above the table.
_CORNER, _HEIGHT = 0.09, 0.001
FIXED_GOALS = {
    "jaco": {
        "reach_top_left": (-_CORNER, _CORNER, _HEIGHT),
        "reach_top_right": (_CORNER, _CORNER, _HEIGHT),
        "reach_bottom_left": (-_CORNER, -_CORNER, _HEIGHT),
        "reach_bottom_right": (_CORNER, -_CORNER, _HEIGHT),
    }
}

REACH = "reach"
EPISODE_SECONDS = 10.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReachTask:
    """Bring the robot's goal feature to a point: dm_control's reach, on any robot."""

    name: str
    """`reach` for goals drawn from the robot's goal box, or the name of a fixed goal."""
    spec: RobotSpec

    def goal(self, seed: int, episode: int) -> np.ndarray:
        """The goal of an episode, in the unit of the goal feature."""
        fixed = FIXED_GOALS.get(self.spec.name, {}).get(self.name)
        return episode_goal(self.spec, seed, episode) if fixed is None else np.asarray(fixed)

    def reward(self, distance: np.ndarray) -> np.ndarray:
        """1 within the goal radius, falling to 0.1 at twice the radius (dm_control's reach)."""
        radius = self.spec.goal_radius
        reward: np.ndarray = tolerance(distance, bounds=(0.0, radius), margin=radius)
        return reward


def make_task(name: str, spec: RobotSpec) -> ReachTask:
    """The robot's task of that name; refuses an unknown name."""
    names = (REACH, *FIXED_GOALS.get(spec.name, {}))
    if name not in names:
        raise FbRosError(f"robot {spec.name} has no task {name!r}; possible: {', '.join(names)}")
    return ReachTask(name=name, spec=spec)
