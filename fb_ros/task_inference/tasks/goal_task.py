"""Goals and velocities as tasks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import GoalPoint, GoalState, Velocity
from fb_ros.robot.field import layout_slices
from fb_ros.robot.wording import describe, point_text
from fb_ros.task_inference.goal_encoding import encode_goal
from fb_ros.task_inference.objective import Objective, objective_of
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.kept_velocity_task import kept_velocity_task
from fb_ros.task_inference.tasks.task import Task


def goal_task(
    bundle: Bundle, encoder: TaskEncoder, prompt: GoalPoint | GoalState | Velocity
) -> Task:
    """The task of a goal, which has one encoding: that of a state that fits the goal."""
    goals = _goals(bundle, encoder, prompt)
    if isinstance(prompt, Velocity) and bundle.robot.velocity_widths:
        return kept_velocity_task(bundle, encoder, prompt, np.concatenate(list(goals.values())))
    found = encode_goal(bundle, encoder, goals)
    warnings: tuple[str, ...] = ()
    if found.instead is not None:
        warnings = (
            f"it is {found.outside:.3g} {found.unit} outside the data; trying the nearest "
            f"point seen, {point_text(found.instead)}",
        )
    return Task(
        text=prompt.text,
        proposals=found.z[None],
        warnings=warnings,
        figures={f"outside_{found.unit}": found.outside},
    )


def goal_objective(
    bundle: Bundle, encoder: TaskEncoder, prompt: GoalPoint | GoalState | Velocity
) -> Objective:
    """The objective of being near a goal: minus the distance, in the data's standard
    deviations."""
    goals = _goals(bundle, encoder, prompt)
    slices = layout_slices(bundle.robot.features)
    every = np.arange(bundle.robot.feature_dim)
    columns = np.concatenate([every[slices[name]] for name in goals])
    spread = encoder.spread[np.concatenate([encoder.columns[name] for name in goals])]
    goal = np.concatenate(list(goals.values()))

    def reward(features: np.ndarray) -> np.ndarray:
        found: np.ndarray = -np.linalg.norm((features[:, columns] - goal) / spread, axis=1)
        return found

    features = bundle.reference_features
    return objective_of(reward, goals, features, reward(features))


def _goals(
    bundle: Bundle, encoder: TaskEncoder, prompt: GoalPoint | GoalState | Velocity
) -> Mapping[str, np.ndarray]:
    """The goal's values by the names of features."""
    match prompt:
        case GoalPoint(point=point):
            return {bundle.robot.goal_feature: np.asarray(point)}
        case GoalState(values=values):
            width = encoder.reference.shape[1]
            if len(values) != width:
                raise FbRosError(
                    f"the goal state has {len(values)} numbers, this model reads {width}: "
                    + describe(bundle.encoder_fields)
                )
            state = np.asarray(values, dtype=np.float64)
            return {name: state[part] for name, part in encoder.columns.items()}
        case Velocity():
            return _velocities(bundle, prompt)


def _velocities(bundle: Bundle, prompt: Velocity) -> Mapping[str, np.ndarray]:
    robot = bundle.robot
    if not robot.velocity_features:
        raise FbRosError(
            f"robot {robot.name} has no velocity that a reward could speak of; "
            "publish a goal point or a formula"
        )
    goals = {}
    rest = [list(prompt.linear), list(prompt.angular)]
    for number, name in enumerate(robot.velocity_features):
        size = robot.feature(name).size
        goals[name], rest[number] = np.array(rest[number][:size]), rest[number][size:]
    if any(value != 0.0 for part in rest for value in part):
        raise FbRosError(
            f"robot {robot.name} has no such velocity as {prompt.text} asks for; it has "
            + describe([robot.feature(name) for name in robot.velocity_features])
        )
    return goals
