"""Checks of an episode, so that training never reads a bad one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fb_ros.robot.robot_spec import RobotSpec

# Rounding may take an action this far beyond [-1, 1].
_ROUNDING = 1e-3
# Training computes in float32.
_LARGEST = float(np.finfo(np.float32).max)


def find_problems(
    arrays: Mapping[str, np.ndarray], spec: RobotSpec | None = None, steps: int | None = None
) -> list[str]:
    """Sentences about the problems of one episode's arrays; none if it can be trained on.

    `spec` is the robot that they should belong to; it is checked for widths that cannot be
    recomputed. `steps` is the number of steps in the file's name.
    """
    lacking = [name for name in ("observation", "action", "discount") if name not in arrays]
    if lacking:
        return [f"it lacks {', '.join(lacking)}; it holds {', '.join(arrays) or 'nothing'}"]
    problems = [
        f"{name} holds {array.dtype} of shape {array.shape}, expected numbers in rows"
        for name, array in arrays.items()
        if array.ndim != 2 or array.dtype.kind not in "fiu"
    ]
    if problems:
        return problems
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {length}" for name, length in lengths.items())
        return [f"its arrays differ in length: {shown}"]
    rows = lengths["observation"]
    if rows < 2:
        return [f"it has {rows} rows and so no transition"]
    if steps is not None and rows != steps + 1:
        problems.append(f"its name promises {steps} steps, it holds {rows - 1}")
    for name, array in arrays.items():
        # The comparison also catches NaN.
        wrong = ~(np.abs(array) <= _LARGEST)
        if wrong.any():
            row = int(np.flatnonzero(wrong.any(axis=1))[0])
            first = array[row][wrong[row]][0]
            what = f"{first:g}, beyond float32," if np.isfinite(first) else "NaN or infinity,"
            problems.append(f"{name} holds {what} first in row {row}")
    if problems:
        return problems
    action, discount = arrays["action"], arrays["discount"]
    # Row 0 holds no action: nothing led to the first state.
    largest = float(np.abs(action[1:]).max(initial=0.0))
    if largest > 1.0 + _ROUNDING:
        problems.append(f"an action is {largest:g}, expected -1 to 1")
    if spec and action.shape[1] != spec.act_dim:
        problems.append(
            f"action has {action.shape[1]} components, robot {spec.name} has {spec.act_dim}"
        )
    if discount.shape[1] != 1:
        problems.append(f"discount has {discount.shape[1]} components, expected one")
    elif np.any(wrong := (discount != 0.0) & (discount != 1.0)):
        row = int(np.flatnonzero(wrong[:, 0])[0])
        problems.append(
            f"discount is {discount[row, 0]:g} in row {row}, expected 0 where the episode ended "
            "in a terminal state and 1 elsewhere"
        )
    elif np.any(discount[1:-1] == 0.0):
        row = 1 + int(np.flatnonzero(discount[1:-1] == 0.0)[0])
        problems.append(f"row {row} is terminal, and the episode goes on after it")
    return problems
