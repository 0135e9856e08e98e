"""A velocity-following ONNX controller: it maps a robot's state and a command to servo targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from training.collecting.controller_layout import ControllerLayout


class VelocityController:
    """The controller that the robot walks with, run as its maker runs it.

    Commands change by at most the layout's `command_step` per period, as in the robot's own
    driver.
    """

    def __init__(self, path: Path, layout: ControllerLayout, robot: RobotSpec) -> None:
        """Refuses a file that is no such controller, and a robot that it does not fit."""
        layout.require_robot(robot)
        self._layout = layout
        self._joints = layout.joints
        # Index of each of the robot's commands among the controller's joints.
        self._order = [layout.joints.index(name) for name in robot.action_joints]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its parser's exceptions, of any class.
            reason = " ".join(str(error).split())[:200]
            raise FbRosError(f"{path} is not a readable ONNX model: {reason}") from error
        self._require_shapes(path)
        self._input = self._session.get_inputs()[0].name
        self.reset()

    def _require_shapes(self, path: Path) -> None:
        expected = (self._layout.inputs, len(self._joints))
        found = []
        for side in (self._session.get_inputs(), self._session.get_outputs()):
            last = side[0].shape[-1] if len(side) == 1 and side[0].shape else None
            found.append(last)
        if tuple(found) != expected:
            raise FbRosError(
                f"{path} takes {found[0]} numbers and gives {found[1]}; the layout has "
                f"{expected[0]} and {expected[1]}"
            )

    def reset(self) -> None:
        """Forgets the previous command and output."""
        self._command = np.zeros(3)
        self._output = np.zeros(len(self._joints))

    def targets(
        self, state: RobotState, command: np.ndarray, noise: np.ndarray | float = 0.0
    ) -> np.ndarray:
        """Servo targets for a `command` (vx, vy, wz), in the robot's order, rad, `(act_dim,)`.

        `noise` `(joints,)` is added to the output, in its units; the controller sees it.
        """
        layout = self._layout
        step = np.clip(command - self._command, -layout.command_step, layout.command_step)
        self._command = self._command + step
        parts = [scale * self._read(name, state) for name, scale in layout.reads]
        vector = np.clip(np.concatenate(parts), -layout.clip, layout.clip)
        (output,) = self._session.run(None, {self._input: vector[None].astype(np.float32)})
        self._output = np.clip(output[0].astype(np.float64) + noise, -layout.clip, layout.clip)
        return self.in_robot_order(layout.stance + layout.output_scale * self._output)

    def takes_over(self, targets: np.ndarray) -> None:
        """Notes targets `(joints,)`, in the controller's order, that did not come from it."""
        self._output = (targets - self._layout.stance) / self._layout.output_scale
        self._command = np.zeros(3)

    def in_robot_order(self, positions: np.ndarray) -> np.ndarray:
        """Reorders positions `(joints,)` from the controller's order to that of the robot's
        commands."""
        return positions[self._order]

    def _read(self, name: str, state: RobotState) -> np.ndarray:
        if name == "command":
            return self._command
        if name == "last_output":
            return self._output
        if name == "gravity":
            return down(state)
        if name in ("joint_position", "joint_velocity"):
            values: np.ndarray = getattr(state, name)[..., state.joint_indices(self._joints)]
            return values - self._layout.stance if name == "joint_position" else values
        velocity: np.ndarray | None = getattr(state, f"base_{name.removeprefix('linear_')}")
        if velocity is None:
            raise FbRosError(f"the controller reads {name}, which the robot does not measure")
        return velocity


def down(state: RobotState) -> np.ndarray:
    """The unit vector of gravity in the torso's frame, `(3,)`."""
    if state.base_orientation is None:
        raise FbRosError("the controller reads gravity, which the robot does not measure")
    w, x, y, z = state.base_orientation
    return -np.array([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])
