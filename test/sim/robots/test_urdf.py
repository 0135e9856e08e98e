"""The robot description says where everything is: checked against the physics, in any posture."""

from __future__ import annotations

from xml.etree import ElementTree

import mujoco
import numpy as np
import pytest

from sim.robots.environment import Environment
from sim.robots.link_tree import link_tree
from sim.robots.registry import ROBOT_NAMES, make_environment
from sim.robots.urdf import roll_pitch_yaw, urdf_of

Pose = tuple[np.ndarray, np.ndarray]


def rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rodrigues' formula."""
    x, y, z = axis / np.linalg.norm(axis)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + np.sin(angle) * skew + (1.0 - np.cos(angle)) * skew @ skew


def origin(element: ElementTree.Element | None) -> Pose:
    assert element is not None
    roll, pitch, yaw = (float(word) for word in element.attrib["rpy"].split())
    x, y, z = np.eye(3)
    turn = rotation(z, yaw) @ rotation(y, pitch) @ rotation(x, roll)
    return np.array([float(word) for word in element.attrib["xyz"].split()]), turn


def forward_kinematics(text: str, positions: dict[str, float], floating: Pose) -> dict[str, Pose]:
    """Where each link is, by nothing but the description and the joints' positions."""
    robot = ElementTree.fromstring(text)
    poses: dict[str, Pose] = {"world": (np.zeros(3), np.eye(3))}
    for joint in robot.iter("joint"):
        names = [joint.find(end) for end in ("parent", "child")]
        assert names[0] is not None
        assert names[1] is not None
        place, turn = poses[names[0].attrib["link"]]
        move, rotate = origin(joint.find("origin"))
        kind = joint.attrib["type"]
        if kind == "floating":
            move, rotate = floating
        elif kind != "fixed":
            axis_element = joint.find("axis")
            assert axis_element is not None
            axis = np.array([float(word) for word in axis_element.attrib["xyz"].split()])
            value = positions[joint.attrib["name"]]
            if kind == "prismatic":
                move = move + rotate @ (value * axis)
            else:
                rotate = rotate @ rotation(axis, value)
        poses[names[1].attrib["link"]] = place + turn @ move, turn @ rotate
    return poses


@pytest.mark.parametrize("name", ROBOT_NAMES)
def test_links_are_where_the_bodies_are(name: str) -> None:
    environment = make_environment(name)
    model, data = environment.model, environment.data
    for episode in range(3):
        environment.reset(np.random.RandomState(episode))
        rng = np.random.default_rng(episode)
        data.qpos[environment.qpos_index] += rng.uniform(-0.3, 0.3, len(environment.qpos_index))
        # As it is drawn, joints that nobody speaks of are at rest.
        rest = np.array(model.qpos0)
        rest[environment.qpos_index] = data.qpos[environment.qpos_index]
        free = model.jnt_type == mujoco.mjtJoint.mjJNT_FREE
        for start in model.jnt_qposadr[free]:
            rest[start : start + 7] = data.qpos[start : start + 7]
        data.qpos[:] = rest
        mujoco.mj_kinematics(model, data)
        check(environment)


def check(environment: Environment) -> None:
    model, data = environment.model, environment.data
    names = environment.model_joints
    positions = {name: float(data.joint(ours).qpos[0]) for name, ours in names.items()}
    floating = np.zeros(3), np.eye(3)
    for joint in np.flatnonzero(model.jnt_type == mujoco.mjtJoint.mjJNT_FREE):
        body = model.jnt_bodyid[joint]
        floating = data.xpos[body], data.xmat[body].reshape(3, 3)
    text = urdf_of(environment.spec, model, names)
    poses = forward_kinematics(text, positions, floating)
    links = {link.attrib["name"]: link for link in ElementTree.fromstring(text).iter("link")}
    compared = 0
    for body in range(1, model.nbody):
        link = links[model.body(body).name.strip("/").replace("/", "_") or f"body_{body}"]
        inertial = link.find("inertial")
        if inertial is None:
            continue
        place, turn = poses[link.attrib["name"]]
        middle, principal = origin(inertial.find("origin"))
        np.testing.assert_allclose(place + turn @ middle, data.xipos[body], atol=1e-6)
        # An axis may point either way only where the model says so: here all of it is compared.
        np.testing.assert_allclose(turn @ principal, data.ximat[body].reshape(3, 3), atol=1e-6)
        compared += 1
    assert compared


def test_angles_bring_the_rotation_back() -> None:
    rng = np.random.default_rng(0)
    cases = [rng.standard_normal(4) for _ in range(50)]
    cases += [np.array([1, 0, 1, 0.0]), np.array([1, 0, -1, 0.0]), np.array([1, 1, 1, 1.0])]
    cases += [np.array([1, 0.5, 1, 0.5]), np.array([1, 0.5, -1, -0.5])]
    x, y, z = np.eye(3)
    for case in cases:
        quaternion = case / np.linalg.norm(case)
        roll, pitch, yaw = roll_pitch_yaw(quaternion)
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, quaternion)
        turned = rotation(z, yaw) @ rotation(y, pitch) @ rotation(x, roll)
        np.testing.assert_allclose(turned, matrix.reshape(3, 3), atol=1e-6)


@pytest.mark.parametrize("name", ["jaco", "quadruped"])
def test_transforms_lead_to_the_bodies(name: str) -> None:
    pytest.importorskip("rclpy")
    from builtin_interfaces.msg import Time

    from sim.node.description_publisher import DescriptionPublisher

    environment = make_environment(name)
    environment.reset(np.random.RandomState(0))
    publisher = object.__new__(DescriptionPublisher)
    publisher._environment = environment
    publisher._tree = link_tree(environment.model, environment.model_joints)
    poses: dict[str, Pose] = {environment.spec.frame: (np.zeros(3), np.eye(3))}
    for message in publisher.transforms(Time(sec=1)):
        place, turn = poses[message.header.frame_id]
        move, rotate = message.transform.translation, message.transform.rotation
        matrix = np.empty(9)
        mujoco.mju_quat2Mat(matrix, np.array([rotate.w, rotate.x, rotate.y, rotate.z]))
        poses[message.child_frame_id] = (
            place + turn @ np.array([move.x, move.y, move.z]),
            turn @ matrix.reshape(3, 3),
        )
    state = environment.robot_state()
    if state.base_position is not None:
        np.testing.assert_allclose(poses["base_link"][0], state.base_position, atol=1e-9)
    model, data = environment.model, environment.data
    last = model.nbody - 1
    link = model.body(last).name.strip("/").replace("/", "_")
    np.testing.assert_allclose(poses[link][1], data.xmat[last].reshape(3, 3), atol=1e-6)
