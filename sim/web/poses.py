"""Poses of a robot's bodies, computed from its joint positions and its base."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import mujoco
import numpy as np

from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment

_UP = np.array([0.0, 0.0, 1.0])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Base:
    """Pose of a mobile robot's body."""

    position: np.ndarray
    """Position, m, `(3,)`."""
    orientation: np.ndarray
    """Unit quaternion, w first, `(4,)`."""


class BodyPoses:
    """Forward kinematics of a model; the base is placed at the given pose, whatever moves it."""

    def __init__(self, environment: Environment) -> None:
        self._model = environment.model
        self._data = mujoco.MjData(environment.model)
        # Servos come after the joints, and have no position of their own.
        names, places = environment.joint_names, environment.qpos_index.tolist()
        self._places = dict(zip(names, places, strict=False))
        self._base = environment.base_body
        roots = environment.model.body_rootid
        self._carried = roots == roots[self._base] if self._base is not None else None

    def missing(self, joints: Mapping[str, float]) -> list[str]:
        """Names of the model's joints that are not among `joints`."""
        return [name for name in self._places if name not in joints]

    def of(
        self, joints: Mapping[str, float], base: Base | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Positions `(bodies, 3)`, m, and unit quaternions `(bodies, 4)`, w first, of all bodies.

        `joints` are positions, rad or m, by their names in messages; other joints keep the model's
        default.
        """
        for name, place in self._places.items():
            if name in joints:
                self._data.qpos[place] = joints[name]
        mujoco.mj_kinematics(self._model, self._data)
        positions, quaternions = self._data.xpos.copy(), self._data.xquat.copy()
        if base is None or self._carried is None:
            return positions, quaternions
        there, turned = positions[self._base], quaternions[self._base]
        turn = multiply(base.orientation, conjugate(turned))
        carried = self._carried
        positions[carried] = base.position + rotate(turn, positions[carried] - there)
        quaternions[carried] = multiply(turn, quaternions[carried])
        return positions, quaternions


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of quaternions, w first, `(..., 4)`."""
    aw, av, bw, bv = a[..., :1], a[..., 1:], b[..., :1], b[..., 1:]
    real = aw * bw - np.sum(av * bv, axis=-1, keepdims=True)
    return np.concatenate([real, aw * bv + bw * av + np.cross(av, bv)], axis=-1)


def conjugate(quaternion: np.ndarray) -> np.ndarray:
    """The opposite rotations of unit quaternions, w first, `(..., 4)`."""
    return quaternion * [1.0, -1.0, -1.0, -1.0]


def rotate(quaternion: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Rotates `vectors` `(n, 3)` by unit quaternions, w first: one `(4,)`, or each by its own
    `(n, 4)`."""
    w, axis = quaternion[..., :1], quaternion[..., 1:]
    return vectors + 2.0 * np.cross(axis, np.cross(axis, vectors) + w * vectors)


def joints_in(fields: tuple[Field, ...], values: np.ndarray) -> dict[str, float]:
    """Joint positions in a vector of `fields`, rad or m, by name; angles may lack whole turns."""
    joints: dict[str, float] = {}
    slices = layout_slices(fields)
    for field in fields:
        part = values[slices[field.name]]
        if field.source != "joint_position":
            continue
        if field.encoding == "identity":
            joints |= dict(zip(field.joints, part.tolist(), strict=True))
        elif field.encoding == "sin_cos":
            sines, cosines = np.split(part, 2)
            joints |= dict(zip(field.joints, np.arctan2(sines, cosines).tolist(), strict=True))
    return joints


def base_in(robot: RobotSpec, features: np.ndarray, now: Base, *, placed: bool) -> Base:
    """The base in task features; parts that they leave open are taken from `now`.

    The horizontal position counts only if the task is `placed`; another task says nothing about
    it.
    """
    slices = layout_slices(robot.features)
    position, orientation = now.position.copy(), now.orientation
    for field in robot.features:
        part = features[slices[field.name]]
        if field.source == "base_position":
            if field.encoding == "height":
                position[2] = part[0]
            else:
                position[:] = part if placed else (*now.position[:2], part[2])
        elif field.source == "base_orientation":
            orientation = _inclined(part, now.orientation)
    return Base(position=position, orientation=orientation)


def _inclined(up: np.ndarray, now: np.ndarray) -> np.ndarray:
    """The orientation nearest to `now` whose vertical axis is `up`."""
    axis = rotate(now, _UP[None])[0]
    half = np.concatenate([[1.0 + axis @ up], np.cross(axis, up)])
    norm = float(np.linalg.norm(half))
    # Upside down, all headings are equally near.
    turn = half / norm if norm > 1e-6 else np.array([0.0, 1.0, 0.0, 0.0])
    return multiply(turn, now)
