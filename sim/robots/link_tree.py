"""A model's links and joints as a tree, as URDF and tf describe a robot."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal

import mujoco
import numpy as np

Kind = Literal["fixed", "continuous", "revolute", "prismatic", "floating"]

WORLD = "world"
"""The link that does not move."""
BASE_LINK = "base_link"
"""Frame of a mobile robot's body."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LinkJoint:
    """A joint between two links; the child's frame lies in the joint."""

    name: str
    """Name in `joint_states`, if the joint is there."""
    kind: Kind
    parent: str
    child: str
    position: np.ndarray
    """Position of the child's frame in the parent's, at position 0 of the joint, `(3,)`, m."""
    quaternion: np.ndarray
    """Orientation likewise, `(4,)`, w, x, y, z."""
    axis: np.ndarray
    """Axis of the motion in the child's frame, `(3,)`."""
    index: int = -1
    """Index of the joint in the model; -1 for a fixed one."""
    body: int = -1
    """Number of the body in the child's frame; -1 if the child carries none."""
    offset: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(3))
    """Position of that body's frame in the child's, `(3,)`, m."""


def link_tree(model: mujoco.MjModel, joint_names: Mapping[str, str]) -> list[LinkJoint]:
    """The joints of a model, parents first; the links are what they connect.

    `joint_names` maps names in messages to names in the model. A joint that is in no message keeps
    its rest position. A body with several joints gets a link without a shape for each joint but
    the last. MuJoCo applies a body's joints one after the other, about anchors in the body, and
    counts from the reference position (`qpos0`): both go into the joints' origins here.
    """
    named = {model.joint(ours).id: name for name, ours in joint_names.items()}
    offsets = {0: np.zeros(3)}
    tree: list[LinkJoint] = []
    for body in range(1, model.nbody):
        parent_body = int(model.body_parentid[body])
        parent = _link_name(model, parent_body)
        position = offsets[parent_body] + model.body_pos[body]
        quaternion = np.array(model.body_quat[body])
        first, count = int(model.body_jntadr[body]), int(model.body_jntnum[body])
        joints = range(first, first + count)
        moving = [joint for joint in joints if joint in named or _is_free(model, joint)]
        anchor = np.zeros(3)
        for place, joint in enumerate(moving):
            last = place == len(moving) - 1
            link = _link_name(model, body)
            child = link if last else f"{link}_{named[joint]}"
            kind, axis = _kind_of(model, joint), np.array(model.jnt_axis[joint])
            to_anchor = np.zeros(3) if kind == "floating" else model.jnt_pos[joint] - anchor
            origin = position + _turned(quaternion, to_anchor)
            turn = quaternion
            rest = 0.0 if kind == "floating" else float(model.qpos0[model.jnt_qposadr[joint]])
            if kind == "prismatic":
                origin = origin - _turned(quaternion, rest * axis)
            elif kind != "floating":
                turn = _product(quaternion, _about(axis, -rest))
            anchor = anchor + to_anchor
            tree.append(
                LinkJoint(
                    name=named.get(joint, f"{link}_free"),
                    kind=kind,
                    parent=parent,
                    child=child,
                    position=np.zeros(3) if kind == "floating" else origin,
                    quaternion=np.array([1.0, 0, 0, 0]) if kind == "floating" else turn,
                    axis=axis,
                    index=joint,
                    body=body if last else -1,
                    offset=-anchor if last else np.zeros(3),
                )
            )
            if kind == "floating":
                tree.append(_base_link(child))
            parent, position, quaternion = child, np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0])
        if not moving:
            tree.append(
                LinkJoint(
                    name=f"{_link_name(model, body)}_fixed",
                    kind="fixed",
                    parent=parent,
                    child=_link_name(model, body),
                    position=position,
                    quaternion=quaternion,
                    axis=np.array([0.0, 0.0, 1.0]),
                    body=body,
                )
            )
        offsets[body] = -anchor
    return tree


def _base_link(body: str) -> LinkJoint:
    """A second link for the body of a mobile robot, with the name from REP 105."""
    return LinkJoint(
        name=f"{BASE_LINK}_fixed",
        kind="fixed",
        parent=body,
        child=BASE_LINK,
        position=np.zeros(3),
        quaternion=np.array([1.0, 0.0, 0.0, 0.0]),
        axis=np.array([0.0, 0.0, 1.0]),
    )


def joint_transform(
    joint: LinkJoint, model: mujoco.MjModel, qpos: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Position `(3,)` and quaternion `(4,)` of the child in the parent, in a state `qpos`."""
    if joint.index < 0:
        return joint.position, joint.quaternion
    start = int(model.jnt_qposadr[joint.index])
    if joint.kind == "floating":
        return np.array(qpos[start : start + 3]), np.array(qpos[start + 3 : start + 7])
    value = float(qpos[start])
    if joint.kind == "prismatic":
        return joint.position + _turned(joint.quaternion, value * joint.axis), joint.quaternion
    return joint.position, _product(joint.quaternion, _about(joint.axis, value))


def _kind_of(model: mujoco.MjModel, joint: int) -> Kind:
    kind = model.jnt_type[joint]
    if kind == mujoco.mjtJoint.mjJNT_FREE:
        return "floating"
    if kind == mujoco.mjtJoint.mjJNT_SLIDE:
        return "prismatic"
    return "revolute" if model.jnt_limited[joint] else "continuous"


def _is_free(model: mujoco.MjModel, joint: int) -> bool:
    return bool(model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE)


def _link_name(model: mujoco.MjModel, body: int) -> str:
    if not body:
        return WORLD
    # dm_control's attachments have slashes, which mean namespaces in tf.
    return (model.body(body).name or f"body_{body}").strip("/").replace("/", "_")


def _turned(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    turned = np.empty(3)
    mujoco.mju_rotVecQuat(turned, np.asarray(vector, dtype=float), quaternion)
    return turned


def _product(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    product = np.empty(4)
    mujoco.mju_mulQuat(product, first, second)
    return product


def _about(axis: np.ndarray, angle: float) -> np.ndarray:
    quaternion = np.empty(4)
    mujoco.mju_axisAngle2Quat(quaternion, axis, angle)
    return quaternion
