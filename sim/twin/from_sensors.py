"""Setting a simulation to the state that a robot's sensors report."""

from __future__ import annotations

import mujoco
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_state import RobotState
from sim.robots.environment import Environment

_FREE = 6


def physics_from_sensors(environment: Environment, state: RobotState) -> np.ndarray:
    """The physics state `(nq + nv + na,)` in which the sensors would report `state`.

    Joints are matched by name; a free torso is placed by odometry and gyroscope. Actuator
    activations, which no sensor reports, are zero. Refuses a robot whose sensors do not report its
    whole state.
    """
    model = environment.model
    qpos, qvel = np.array(model.qpos0), np.zeros(model.nv)
    names = environment.joint_names[: len(environment.qpos_index)]
    columns = state.joint_indices(names)
    qpos[environment.qpos_index] = state.joint_position[columns]
    qvel[environment.qvel_index] = state.joint_velocity[columns]
    rest = model.nv - len(environment.qvel_index)
    if rest == _FREE and model.jnt_type[0] == mujoco.mjtJoint.mjJNT_FREE:
        _set_torso(qpos, qvel, state)
    elif rest:
        raise FbRosError(
            f"robot {environment.spec.name} has {rest} degrees of freedom of which its sensors do "
            "not tell, so it cannot have a twin"
        )
    return np.concatenate([qpos, qvel, np.zeros(model.na)])


def _set_torso(qpos: np.ndarray, qvel: np.ndarray, state: RobotState) -> None:
    """Sets the first seven positions and six velocities, which MuJoCo has in the world frame,
    except the angular velocity."""
    position, quaternion = state.base_position, state.base_orientation
    linear, angular = state.base_velocity, state.base_angular_velocity
    if position is None or quaternion is None or linear is None or angular is None:
        raise FbRosError("a twin of a robot with a torso needs odom and imu")
    qpos[:3], qpos[3:7] = position, quaternion
    mujoco.mju_rotVecQuat(qvel[:3], linear, quaternion)
    qvel[3:6] = angular
