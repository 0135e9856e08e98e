"""Prompts to try on each robot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, assemble, layout_slices
from fb_ros.robot.robot_state import RobotState
from sim.tasks.arm_prompts import ARM_PROMPTS
from sim.tasks.go2_prompts import GO2_PROMPTS
from sim.tasks.prompt_example import PromptExample, Seen

EXAMPLES: dict[str, tuple[PromptExample, ...]] = {"jaco": ARM_PROMPTS, "go2": GO2_PROMPTS}


def examples_of(robot: str) -> tuple[PromptExample, ...]:
    """The examples of the robot of that name; refuses a robot without examples."""
    if robot not in EXAMPLES:
        raise FbRosError(
            f"robot {robot} has no prompts to try; those that have: {', '.join(EXAMPLES)}"
        )
    return EXAMPLES[robot]


def seen_in(states: Sequence[RobotState], fields: Sequence[Field]) -> Seen:
    """The features of these states by name."""
    rows = np.stack([assemble(fields, state) for state in states])
    return {name: rows[:, part] for name, part in layout_slices(fields).items()}
