"""How far joints can turn in the data: to their limits, or to where links collide before."""

from __future__ import annotations

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec


class JointStops:
    """The range of each limited joint whose angle is observed by its sine and cosine."""

    def __init__(self, spec: RobotSpec, seen: np.ndarray) -> None:
        """`seen` `(n, obs_dim)` are observations of the robot in motion."""
        middle = {
            joint: 0.5 * (low + high)
            for joint, low, high in zip(
                spec.action_joints, spec.joint_low, spec.joint_high, strict=False
            )
            if low is not None and high is not None
        }
        slices = layout_slices(spec.observation)
        found = [
            (place, place + len(field.joints), middle[joint])
            for field in spec.observation
            if field.encoding == "sin_cos"
            for place, joint in enumerate(field.joints, slices[field.name].start)
            if joint in middle
        ]
        self._sines = np.array([sine for sine, _, _ in found], dtype=int)
        self._cosines = np.array([cosine for _, cosine, _ in found], dtype=int)
        # Angles count from the middle of the limits, so none of them wraps around.
        self._middle = np.array([angle for _, _, angle in found])
        angles = self._angles(seen)
        self._low, self._high = angles.min(axis=0, initial=0.0), angles.max(axis=0, initial=0.0)

    def stop(self, observation: np.ndarray) -> np.ndarray:
        """Turns joints back that went too far, in place; returns the furthest excess, rad, `(n,)`.

        `observation` is `(n, obs_dim)`.
        """
        if not len(self._sines):
            return np.zeros(len(observation))
        angles = self._angles(observation)
        possible = np.clip(angles, self._low, self._high)
        turned = possible + self._middle
        observation[:, self._sines] = np.sin(turned)
        observation[:, self._cosines] = np.cos(turned)
        beyond: np.ndarray = np.abs(angles - possible).max(axis=1)
        return beyond

    def _angles(self, observation: np.ndarray) -> np.ndarray:
        """Angles from the middle of the limits, rad in [-pi, pi), `(n, joints)`."""
        raw = np.arctan2(observation[:, self._sines], observation[:, self._cosines])
        found: np.ndarray = (raw - self._middle + np.pi) % (2.0 * np.pi) - np.pi
        return found
