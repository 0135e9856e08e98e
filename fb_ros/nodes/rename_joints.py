"""The parameters `rename_joints.…`: what the robot's driver calls its joints."""

from __future__ import annotations

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.joint_renaming import JointRenaming, joint_renaming
from fb_ros.robot.robot_spec import RobotSpec

RENAME_JOINTS = "rename_joints"
_PREFIX = f"{RENAME_JOINTS}."


def declare_joint_renaming(node: Node, robot: RobotSpec) -> JointRenaming:
    """The driver's names from `rename_joints.JOINT`, as `joints` has them in a bag's mapping.

    Only those that were given are declared, read-only: a robot's joints are known when its model
    is. Refuses the same as `joint_renaming`.
    """
    given = node._parameter_overrides
    if RENAME_JOINTS in given:
        raise FbRosError(
            f"{RENAME_JOINTS} is {shown(given[RENAME_JOINTS].value)}, expected the driver's name "
            f"of each joint that it names differently, as {_PREFIX}{robot.action_joints[0]}:=NAME"
        )
    descriptor = ParameterDescriptor(
        description="what the driver calls this joint of the robot",
        dynamic_typing=True,
        read_only=True,
    )
    theirs = {}
    for name in sorted(given):
        if name.startswith(_PREFIX):
            if not node.has_parameter(name):
                node.declare_parameter(name, "", descriptor)
            theirs[name.removeprefix(_PREFIX)] = node.get_parameter(name).value
    return joint_renaming(theirs, robot, f"the parameters {RENAME_JOINTS}")
