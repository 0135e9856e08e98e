"""What every simulated robot offers: physics that is stepped by commands and read by name."""

from __future__ import annotations

import abc

import mujoco
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.field import assemble
from fb_ros.robot_spec import RobotSpec
from fb_ros.robot_state import RobotState


class Environment(abc.ABC):
    """A robot in MuJoCo, without a task: rewards are computed from its features.

    Subclasses build the model, draw initial states and name the joints; everything that steps
    or reads physics is here, so that all robots behave alike.
    """

    spec: RobotSpec

    def __init__(
        self,
        *,
        spec: RobotSpec,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        joint_names: dict[str, str],
        actuators: tuple[str, ...],
        command_gain: float = 1.0,
        tcp_site: str | None = None,
        tcp_body: str | None = None,
    ) -> None:
        """`joint_names` maps names in messages to names in the model, in message order.

        `actuators` are the model's, in the order of `spec.action_joints`; a control is
        `command_gain` times a command. The tool centre point is a site or a body.
        """
        self.spec = spec
        self.model, self.data = model, data
        self._joint_names = tuple(joint_names)
        joints = [model.joint(name) for name in joint_names.values()]
        self._qpos_index = np.array([joint.qposadr[0] for joint in joints])
        self._qvel_index = np.array([joint.dofadr[0] for joint in joints])
        self._ctrl_index = np.array([model.actuator(name).id for name in actuators])
        self._command_gain = command_gain
        self._command_dofs = [
            model.joint(joint_names[name]).dofadr[0] for name in spec.action_joints
        ]
        self._tcp = data.site(tcp_site) if tcp_site else data.body(tcp_body)
        self._tcp_body = model.site(tcp_site).bodyid[0] if tcp_site else model.body(tcp_body).id
        self._substeps = round(spec.ctrl_dt / model.opt.timestep)

    @abc.abstractmethod
    def reset(self, rng: np.random.RandomState) -> None:
        """Draws an initial state; time goes on from zero, controls are zero."""

    def step(self, command: np.ndarray) -> None:
        """Advances by one control period under `command`, physical units, `(act_dim,)`."""
        self.data.ctrl[self._ctrl_index] = self._command_gain * command
        mujoco.mj_step(self.model, self.data, self._substeps)
        # mj_step leaves Cartesian read-outs one physics step behind the joints.
        mujoco.mj_kinematics(self.model, self.data)

    def robot_state(self) -> RobotState:
        """What the robot's sensors would report now."""
        quaternion = np.empty(4)
        mujoco.mju_mat2Quat(quaternion, self._tcp.xmat)
        return RobotState(
            joint_names=self._joint_names,
            joint_position=self.data.qpos[self._qpos_index],
            joint_velocity=self.data.qvel[self._qvel_index],
            tcp_position=self._tcp.xpos.copy(),
            tcp_orientation=quaternion,
        )

    def observation(self) -> np.ndarray:
        """What the policy reads, `(obs_dim,)`, from the sensors alone."""
        return assemble(self.spec.observation, self.robot_state())

    def features(self) -> np.ndarray:
        """What rewards read, `(feature_dim,)`."""
        return assemble(self.spec.features, self.robot_state())

    def tcp_jacobian(self) -> np.ndarray:
        """Velocity of the tool centre point per command of a joint velocity, `(3, act_dim)`."""
        jacobian = np.empty((3, self.model.nv))
        mujoco.mj_comPos(self.model, self.data)
        body = self._tcp_body
        mujoco.mj_jac(self.model, self.data, jacobian, None, self._tcp.xpos, body)
        return jacobian[:, self._command_dofs]

    @property
    def time(self) -> float:
        """Seconds since the last reset."""
        return float(self.data.time)

    def physics_state(self) -> np.ndarray:
        """Joint positions and velocities of the whole model, `(nq + nv,)`."""
        return np.concatenate([self.data.qpos, self.data.qvel])

    def set_physics_state(self, state: np.ndarray) -> None:
        """Puts the model into a state that `physics_state` returned, at rest in its controls."""
        expected = self.model.nq + self.model.nv
        if state.shape != (expected,):
            raise FbRosError(
                f"physics state has shape {state.shape}, {self.spec.name} takes ({expected},)"
            )
        mujoco.mj_resetData(self.model, self.data)
        self.data.qpos[:], self.data.qvel[:] = np.split(state, [self.model.nq])
        mujoco.mj_forward(self.model, self.data)
