"""Keeping a velocity as a task."""

from __future__ import annotations

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Velocity
from fb_ros.robot.wording import point_text
from fb_ros.task_inference.asked_blocks import asked_blocks
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.formula_task import effective_states
from fb_ros.task_inference.tasks.task import Task
from fb_ros.task_inference.velocity_weights import kept_state, mean_velocity, velocity_weights


def kept_velocity_task(
    bundle: Bundle, encoder: TaskEncoder, prompt: Velocity, velocity: np.ndarray
) -> Task:
    """The task of keeping a velocity `(k,)`: reaching the state that the robot holds meanwhile.

    The reward around the velocity shows whether the data contain it, and what the rest of such a
    state is like. It is not encoded itself: in the models so far a faster state of a stride earns
    hardly less of it, and they walked nearly twice as fast as they were asked.
    """
    names = (*bundle.robot.velocity_features, *bundle.robot.posture_features)
    unread = [name for name in names if name not in encoder.columns]
    if unread:
        raise FbRosError(f"this model's B does not read {', '.join(unread)}")
    if not np.all(np.isfinite(velocity)):
        raise FbRosError(f"{prompt.text} is not finite; publish finite numbers")
    robot, features = bundle.robot, bundle.reference_features
    weights = velocity_weights(robot, features, velocity)
    shown = mean_velocity(robot, features, weights)
    if np.any(np.abs(shown - velocity) > np.asarray(robot.velocity_widths)):
        raise FbRosError(
            f"no data show {prompt.text}; the most like it that they show is a mean velocity "
            f"of {point_text(shown)}"
        )
    asked = asked_blocks(bundle.block_features, names)
    state = kept_state(robot, features, encoder.reference, encoder.columns, velocity, weights)
    return Task(
        text=prompt.text,
        proposals=encoder.encode(state[None], np.ones(1), asked).z[None],
        figures={"effective_states": effective_states(weights)},
    )
