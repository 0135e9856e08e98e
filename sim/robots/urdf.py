"""A robot description (URDF) of the simulated model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from xml.etree import ElementTree

import mujoco
import numpy as np

from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.link_tree import WORLD, LinkJoint, link_tree

_SHAPE = mujoco.mjtGeom
# URDF requires effort and velocity limits for a joint with a range; this value means no limit.
_UNLIMITED = 1e3


def urdf_of(spec: RobotSpec, model: mujoco.MjModel, joint_names: Mapping[str, str]) -> str:
    """The description as text.

    Links are the model's bodies; joints have the names in `joint_states`. Spheres, boxes,
    cylinders and capsules (without their caps) keep their shapes; meshes and ellipsoids become
    their bounding boxes. The description shows where a robot is and what it weighs, not what it
    looks like.
    """
    robot = ElementTree.Element("robot", name=spec.name)
    ElementTree.SubElement(robot, "link", name=spec.frame)
    for joint in link_tree(model, joint_names):
        link = ElementTree.SubElement(robot, "link", name=joint.child)
        if joint.body >= 0:
            _add_inertia(link, model, joint)
            _add_shapes(link, model, joint)
        _add_joint(robot, spec, model, joint)
    ElementTree.indent(robot)
    return ElementTree.tostring(robot, encoding="unicode", xml_declaration=True) + "\n"


def _add_joint(
    robot: ElementTree.Element, spec: RobotSpec, model: mujoco.MjModel, joint: LinkJoint
) -> None:
    element = ElementTree.SubElement(robot, "joint", name=joint.name, type=joint.kind)
    parent = spec.frame if joint.parent == WORLD else joint.parent
    ElementTree.SubElement(element, "parent", link=parent)
    ElementTree.SubElement(element, "child", link=joint.child)
    _add_origin(element, joint.position, joint.quaternion)
    if joint.kind in ("fixed", "floating"):
        return
    ElementTree.SubElement(element, "axis", xyz=_numbers(joint.axis))
    limits = {"effort": f"{_UNLIMITED:g}", "velocity": f"{_UNLIMITED:g}"}
    if joint.name in spec.action_joints and spec.velocity_limit:
        velocity = spec.velocity_limit[spec.action_joints.index(joint.name)]
        limits["velocity"] = f"{_UNLIMITED if velocity is None else velocity:g}"
    if model.jnt_limited[joint.index]:
        low, high = model.jnt_range[joint.index]
        limits |= {"lower": f"{low:.6g}", "upper": f"{high:.6g}"}
    elif joint.kind == "prismatic":
        limits |= {"lower": f"{-_UNLIMITED:g}", "upper": f"{_UNLIMITED:g}"}
    ElementTree.SubElement(element, "limit", limits)


def _add_inertia(link: ElementTree.Element, model: mujoco.MjModel, joint: LinkJoint) -> None:
    if not model.body_mass[joint.body]:
        return
    element = ElementTree.SubElement(link, "inertial")
    _add_origin(element, joint.offset + model.body_ipos[joint.body], model.body_iquat[joint.body])
    ElementTree.SubElement(element, "mass", value=f"{model.body_mass[joint.body]:.6g}")
    xx, yy, zz = (f"{value:.6g}" for value in model.body_inertia[joint.body])
    ElementTree.SubElement(element, "inertia", ixx=xx, iyy=yy, izz=zz, ixy="0", ixz="0", iyz="0")


def _add_shapes(link: ElementTree.Element, model: mujoco.MjModel, joint: LinkJoint) -> None:
    first = int(model.body_geomadr[joint.body])
    for geom in range(first, first + int(model.body_geomnum[joint.body])):
        position = joint.offset + model.geom_pos[geom]
        quaternion = model.geom_quat[geom]
        rgba = model.geom_rgba[geom]
        kind, size = model.geom_type[geom], model.geom_size[geom]
        if kind == _SHAPE.mjGEOM_PLANE or not rgba[3]:
            continue
        visual = ElementTree.SubElement(link, "visual")
        shape = ElementTree.Element("geometry")
        if kind == _SHAPE.mjGEOM_SPHERE:
            ElementTree.SubElement(shape, "sphere", radius=f"{size[0]:.6g}")
        elif kind in (_SHAPE.mjGEOM_CYLINDER, _SHAPE.mjGEOM_CAPSULE):
            ElementTree.SubElement(
                shape, "cylinder", radius=f"{size[0]:.6g}", length=f"{2.0 * size[1]:.6g}"
            )
        else:
            middle, half = model.geom_aabb[geom, :3], model.geom_aabb[geom, 3:]
            moved = np.empty(3)
            mujoco.mju_rotVecQuat(moved, np.array(middle), np.array(quaternion))
            position = position + moved
            ElementTree.SubElement(shape, "box", size=_numbers(2.0 * half))
        _add_origin(visual, position, quaternion)
        visual.append(shape)
        material = ElementTree.SubElement(visual, "material", name=f"colour_{geom}")
        ElementTree.SubElement(material, "color", rgba=_numbers(rgba))


def _add_origin(
    element: ElementTree.Element, position: np.ndarray, quaternion: np.ndarray
) -> None:
    rpy = _numbers(np.array(roll_pitch_yaw(quaternion)))
    ElementTree.SubElement(element, "origin", xyz=_numbers(position), rpy=rpy)


def roll_pitch_yaw(quaternion: np.ndarray) -> tuple[float, float, float]:
    """The angles of URDF's `rpy` (rad): turns about the fixed x, then y, then z."""
    w, x, y, z = (float(value) for value in quaternion / np.linalg.norm(quaternion))
    # From the rotation matrix R = Rz(yaw) Ry(pitch) Rx(roll).
    sine = 2.0 * (w * y - x * z)
    if abs(sine) > 1.0 - 1e-9:
        # Pointing straight up or down, roll and yaw are the same turn.
        return (
            0.0,
            math.copysign(0.5 * math.pi, sine),
            math.copysign(2.0, -sine) * math.atan2(x, w),
        )
    roll = math.atan2(2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y))
    yaw = math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))
    return roll, math.asin(sine), yaw


def _numbers(values: np.ndarray) -> str:
    # Adding 0.0 turns -0.0 into 0.
    return " ".join(f"{value + 0.0:.9g}" for value in values)
