"""Read-outs of every robot with a torso, as odometry and an IMU report them."""

from __future__ import annotations

from fb_ros.robot.field import Field

TORSO_POS = Field(
    name="torso_pos",
    source="base_position",
    unit="m",
    description="position of the torso, world frame",
)
TORSO_HEIGHT = Field(
    name="torso_height",
    source="base_position",
    encoding="height",
    unit="m",
    description="height of the torso over the ground",
)
TORSO_UP = Field(
    name="torso_up",
    source="base_orientation",
    encoding="z_axis",
    description="unit vector along the torso's vertical axis, world frame; (0, 0, 1) is upright",
)
TORSO_VEL = Field(
    name="torso_vel",
    source="base_velocity",
    unit="m/s",
    description="velocity of the torso, its own frame; x is forwards",
)
TORSO_ANG_VEL = Field(
    name="torso_ang_vel",
    source="base_angular_velocity",
    unit="rad/s",
    description="angular velocity of the torso, its own frame",
)


def joint_fields(joints: tuple[str, ...]) -> tuple[Field, Field]:
    """Angles and velocities of the leg joints, all of which have limits."""
    return (
        Field(
            name="joint_pos",
            source="joint_position",
            joints=joints,
            unit="rad",
            description="angles of the legs' joints",
        ),
        Field(
            name="joint_vel",
            source="joint_velocity",
            joints=joints,
            unit="rad/s",
            description="velocities of the legs' joints",
        ),
    )


def torso_layouts(
    joints: tuple[str, ...], servos: tuple[str, ...] = ()
) -> tuple[tuple[Field, ...], tuple[Field, ...]]:
    """The observation and the features of a robot with a torso and legs.

    The observation leaves out position and heading on the ground, so that the policy walks
    everywhere alike. `servos` that are published under their own names are observed, too: a robot
    that has to stand still holds their positions.
    """
    observed = (TORSO_HEIGHT, TORSO_UP, TORSO_VEL, TORSO_ANG_VEL, *joint_fields(joints))
    features = (TORSO_POS, *observed)
    if not servos:
        return observed, features
    servo_pos = Field(
        name="servo_pos",
        source="joint_position",
        joints=servos,
        unit="rad",
        description="positions of the legs' servos, of which some pull several joints",
    )
    return (*observed, servo_pos), features
