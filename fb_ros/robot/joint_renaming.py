"""Joints that a driver or a recording calls by other names than the robot's description."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.robot_spec import RobotSpec


@dataclasses.dataclass(frozen=True)
class JointRenaming:
    """The source's name of each joint that the robot names differently."""

    theirs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def to_robot(self, names: Sequence[str]) -> tuple[str, ...]:
        """The robot's names of the joints that the source calls `names`."""
        if not self.theirs:
            return tuple(names)
        ours = {theirs: joint for joint, theirs in self.theirs.items()}
        # A joint of another device may have the name that a renamed joint has on the robot.
        return tuple(
            ours.get(name, f"another {name}" if name in self.theirs else name) for name in names
        )


def joint_renaming(theirs: Mapping[Any, Any], robot: RobotSpec, source: str) -> JointRenaming:
    """The renaming `theirs`, the source's name by the robot's.

    Args:
        theirs: What a person wrote.
        robot: The robot whose joints are renamed.
        source: What `theirs` is called in a message, such as "the mapping's joints".

    Raises:
        FbRosError: A joint is not the robot's, a name is no text, or two joints get the same name.
    """
    fields = (*robot.observation, *robot.features)
    joints = {joint for field in fields for joint in field.joints} | {*robot.action_joints}
    unknown = sorted(str(joint) for joint in theirs if joint not in joints)
    if unknown:
        raise FbRosError(
            f"{source} name {', '.join(unknown)}; robot {robot.name} has "
            f"{', '.join(sorted(joints))}"
        )
    for joint, name in theirs.items():
        if not isinstance(name, str) or not name:
            raise FbRosError(f"{source} call {joint} {shown(name)}, expected a name")
    counts = collections.Counter(theirs.get(joint, joint) for joint in joints)
    name, count = counts.most_common(1)[0] if counts else ("", 0)
    if count > 1:
        alike = sorted(joint for joint in joints if theirs.get(joint, joint) == name)
        raise FbRosError(
            f"{source} leave {' and '.join(alike)} of robot {robot.name} with the one name "
            f"{name}; each joint needs its own"
        )
    return JointRenaming(dict(theirs))
