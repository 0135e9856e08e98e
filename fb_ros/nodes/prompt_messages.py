"""Converts the messages on the prompt topics to prompts."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PointStamped, TwistStamped
from std_msgs.msg import Float64MultiArray, String

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import label_of
from fb_ros.nodes.raw_messages import MOST_BYTES, read_message
from fb_ros.prompts.prompt import GoalPoint, GoalState, Prompt, RewardSamples, Velocity
from fb_ros.robot.field import layout_size
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.skill_commands import is_command
from fb_ros.task_inference.tasks.sample_task import MOST_SAMPLES
from fb_ros.task_inference.z_digest import z_digest

SHOWN = 300
"""Characters of a prompt that its answer repeats."""
_SHOWN_ROWS = 20


def text_of(prompt: Prompt) -> str:
    """The beginning of the prompt, in at most `SHOWN` characters."""
    if isinstance(prompt, RewardSamples):
        some = slice(_SHOWN_ROWS)
        prompt = RewardSamples(features=prompt.features[some], rewards=prompt.rewards[some])
    return prompt.text[:SHOWN]


def most_bytes_of_samples(bundle: Bundle) -> int:
    """Most bytes of a message with as many samples as are read."""
    return MOST_BYTES + MOST_SAMPLES * 8 * (1 + layout_size(bundle.encoder_fields))


def as_line(content: bytes) -> str | FbRosError:
    """The text of a serialised String, without blanks around it; or the refusal."""
    try:
        return str(read_message(content, String).data).strip()
    except FbRosError as error:
        return error


def is_prompt(line: str | FbRosError) -> bool:
    """Whether a line is a prompt, which a later prompt replaces."""
    return isinstance(line, str) and bool(line) and not is_command(line)


def to_goal_point(message: PointStamped, bundle: Bundle) -> GoalPoint:
    """The goal point; its frame must be the robot's or empty."""
    frame, own = message.header.frame_id, bundle.robot.frame
    if frame not in ("", own):
        raise FbRosError(f"frame {frame[:80]!r} is unknown; publish points in {own!r}")
    return GoalPoint(point=(message.point.x, message.point.y, message.point.z))


def to_velocity(message: TwistStamped, bundle: Bundle) -> Velocity:
    """The velocity, in the frame of the feature that it sets."""
    frame = message.header.frame_id
    if frame:
        raise FbRosError(
            f"frame {frame[:80]!r} is unknown; leave it empty for the frame of the robot's "
            + " and ".join(bundle.robot.velocity_features or ("velocity",))
        )
    linear, angular = message.twist.linear, message.twist.angular
    return Velocity(
        linear=(linear.x, linear.y, linear.z), angular=(angular.x, angular.y, angular.z)
    )


def to_goal_state(message: Float64MultiArray, bundle: Bundle) -> GoalState:
    """The values of all features that `B` reads."""
    _require_label(message, bundle)
    width = layout_size(bundle.encoder_fields)
    if len(message.data) != width:
        raise FbRosError(
            f"{len(message.data)} numbers, expected {width}: {', '.join(bundle.encoder_features)}"
        )
    return GoalState(values=tuple(message.data))


def to_reward_samples(message: Float64MultiArray, bundle: Bundle) -> RewardSamples:
    """Rows of the features that `B` reads, each with its reward at the end."""
    _require_label(message, bundle)
    width = 1 + layout_size(bundle.encoder_fields)
    values = np.asarray(message.data)
    if len(values) > MOST_SAMPLES * width:
        raise FbRosError(
            f"{len(values)} numbers, at most {MOST_SAMPLES} rows of {width} are read: "
            f"{', '.join(bundle.encoder_features)} and the reward"
        )
    if not len(values) or len(values) % width:
        raise FbRosError(
            f"{len(values)} numbers, expected rows of {width}: "
            f"{', '.join(bundle.encoder_features)} and the reward"
        )
    rows = values.reshape(-1, width)
    return RewardSamples(features=rows[:, :-1], rewards=rows[:, -1])


def _require_label(message: Float64MultiArray, bundle: Bundle) -> None:
    label = label_of(message)
    if label not in ("", bundle.model_id):
        raise FbRosError(
            f"it is labelled {label[:80]!r}; leave the label empty or give the model's id, "
            f"{bundle.model_id[:12]}…"
        )


def described(inference: Inference) -> dict[str, str]:
    """The description of an encoding in an answer: its digest, and its figures."""
    figures = {name: f"{value:.4g}" for name, value in inference.figures.items()}
    return {"z": z_digest(inference.z), **figures}
