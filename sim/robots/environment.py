"""A simulated robot: physics that is stepped by commands and read by name."""

from __future__ import annotations

import abc
import copy
import dataclasses
from typing import Self

import mujoco
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from sim.robots.body_motion import BodyMotion
from sim.robots.coupling import servo_coupling
from sim.robots.pose_reader import PoseReader
from sim.robots.start import Start


class Environment(abc.ABC):
    """A robot in MuJoCo, without a task: rewards are computed from its features.

    Subclasses build the model, draw initial states and name the joints. This class steps and reads
    the physics, so that all robots behave alike.
    """

    spec: RobotSpec
    confined = True
    """Whether states far from the goal box are of no use, as for an arm."""
    start: Start = "benchmark"
    """Where `reset` puts the robot."""

    def __init__(
        self,
        *,
        spec: RobotSpec,
        model: mujoco.MjModel,
        data: mujoco.MjData,
        joint_names: dict[str, str],
        actuators: tuple[str, ...],
        command_gain: float | np.ndarray = 1.0,
        tcp_site: str | None = None,
        tcp_body: str | None = None,
        base_body: str | None = None,
    ) -> None:
        """`joint_names` maps names in messages to names in the model, in message order.

        `actuators` are the model's, in the order of `spec.action_joints`; a control is
        `command_gain` times a command. A command that belongs to no joint belongs to a servo;
        servos are published after the joints, under their own names. The tool centre point, if
        any, is a site or a body; `base_body` is the torso of a mobile robot.
        """
        self.spec = spec
        self.model_joints = dict(joint_names)
        """Names in the model by names in messages."""
        self.model, self.data = model, data
        joints = [model.joint(name) for name in joint_names.values()]
        self.qpos_index = np.array([joint.qposadr[0] for joint in joints])
        self.qvel_index = np.array([joint.dofadr[0] for joint in joints])
        self._ctrl_index = np.array([model.actuator(name).id for name in actuators])
        self._command_gain = command_gain
        servos = [i for i, name in enumerate(spec.action_joints) if name not in joint_names]
        self.joint_names = (*joint_names, *(spec.action_joints[i] for i in servos))
        self._coupling = servo_coupling(
            model, self._ctrl_index[servos].tolist(), [joint.id for joint in joints]
        )
        tcp = model.site(tcp_site).bodyid[0] if tcp_site else tcp_body and model.body(tcp_body).id
        self._tcp_body = None if tcp is None else int(tcp)
        self.base_body: int | None = model.body(base_body).id if base_body else None
        site = model.site(tcp_site).id if tcp_site else None
        self._poses = PoseReader(model, site=site, body=self._tcp_body, base=self.base_body)
        # A second physics state, for reading states that the robot is not in.
        self._elsewhere = mujoco.MjData(model)
        self._command = np.zeros(spec.act_dim)

    @abc.abstractmethod
    def reset(self, rng: np.random.RandomState) -> None:
        """Draws an initial state; time restarts at zero, and controls are zero."""

    def step(self, command: np.ndarray) -> None:
        """Advances by one control period under `command`, in physical units, `(act_dim,)`."""
        self._command = np.array(command)
        self.data.ctrl[self._ctrl_index] = self._command_gain * command
        mujoco.mj_step(self.model, self.data, self._substeps())
        # mj_step leaves Cartesian read-outs one physics step behind the joints.
        self._poses.update(self.data)

    def robot_state(self) -> RobotState:
        """The robot's present state, as its sensors would report it."""
        state = self._state_of(self.data.qpos, self.data.qvel, self._poses.read(self.data))
        # Every reset sets the time to zero, and no command was sent before the first step.
        before = self._command if self.time > 0.0 else self.spec.held_command(state)
        return dataclasses.replace(state, last_command=before)

    def robot_states(self, physics: np.ndarray, commands: np.ndarray | None = None) -> RobotState:
        """The robot's states for the physics states `(n, nq + nv + na)`, stacked.

        `commands` `(n, act_dim)` are the commands that led to them. The robot's own state does not
        change.
        """
        self._require_physics(physics)
        data, nq, nv = self._elsewhere, self.model.nq, self.model.nv
        poses = []
        for row in physics:
            data.qpos[:], data.qvel[:] = row[:nq], row[nq : nq + nv]
            self._poses.update(data)
            poses.append(self._poses.read(data))
        stacked = {name: np.stack([pose[name] for pose in poses]) for name in poses[0]}
        if commands is not None:
            stacked["last_command"] = commands
        return self._state_of(physics[:, :nq], physics[:, nq : nq + nv], stacked)

    def run(self, commands: np.ndarray) -> np.ndarray:
        """Steps through `commands` `(n, act_dim)`; the physics state after each, `(n, k)`."""
        controls = self._command_gain * commands
        states = np.empty((len(commands), self.physics_size))
        data, model, index = self.data, self.model, self._ctrl_index
        ends = model.nq, model.nq + model.nv
        for state, control in zip(states, controls, strict=True):
            data.ctrl[index] = control
            mujoco.mj_step(model, data, self._substeps())
            state[: ends[0]] = data.qpos
            state[ends[0] : ends[1]] = data.qvel
            if model.na:
                state[ends[1] :] = data.act
        if len(commands):
            self._command = np.array(commands[-1])
        self._poses.update(data)
        return states

    def push(self, velocity: np.ndarray) -> None:
        """Changes the torso's velocity at once, as a shove does: `(6,)`, linear (m/s, world frame)
        and angular (rad/s, torso frame)."""
        if self.base_body is None or self.model.jnt_type[0] != mujoco.mjtJoint.mjJNT_FREE:
            raise FbRosError(f"robot {self.spec.name} has no torso that could be pushed")
        self.data.qvel[:6] += velocity
        self._poses.update(self.data)

    def motion(self, physics: np.ndarray) -> BodyMotion:
        """Motion of the whole robot in the physics states `(n, nq + nv + na)`."""
        self._require_physics(physics)
        if self.base_body is None:
            raise FbRosError(f"robot {self.spec.name} has no torso")
        data, nq, nv = self._elsewhere, self.model.nq, self.model.nv
        position, velocity, momentum = np.empty((3, len(physics), 3))
        for index, row in enumerate(physics):
            data.qpos[:], data.qvel[:] = row[:nq], row[nq : nq + nv]
            self._poses.update(data)
            mujoco.mj_subtreeVel(self.model, data)
            position[index] = data.subtree_com[self.base_body]
            velocity[index] = data.subtree_linvel[self.base_body]
            momentum[index] = data.subtree_angmom[self.base_body]
        return BodyMotion(com_position=position, com_velocity=velocity, angular_momentum=momentum)

    def _substeps(self) -> int:
        return round(self.spec.ctrl_dt / self.model.opt.timestep)

    def _state_of(
        self, qpos: np.ndarray, qvel: np.ndarray, poses: dict[str, np.ndarray]
    ) -> RobotState:
        position, velocity = qpos[..., self.qpos_index], qvel[..., self.qvel_index]
        if len(self._coupling):
            position = np.concatenate([position, position @ self._coupling.T], axis=-1)
            velocity = np.concatenate([velocity, velocity @ self._coupling.T], axis=-1)
        return RobotState(
            joint_names=self.joint_names,
            joint_position=position,
            joint_velocity=velocity,
            **poses,
        )

    def mirrored(self, physics: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mirrors physics states `(n, k)` and actions `(m, act_dim)`, left for right.

        Refuses a robot that is not symmetric.
        """
        raise FbRosError(f"robot {self.spec.name} has no mirror image")

    def observation(self) -> np.ndarray:
        """The observation, `(obs_dim,)`, from the sensors only."""
        return assemble(self.spec.observation, self.robot_state())

    def features(self) -> np.ndarray:
        """The features, `(feature_dim,)`."""
        return assemble(self.spec.features, self.robot_state())

    def tcp_jacobian(self) -> np.ndarray:
        """Velocity of the tool centre point per command of a joint velocity, `(3, act_dim)`."""
        position = self.robot_state().tcp_position
        if position is None:
            raise FbRosError(f"robot {self.spec.name} has no tool centre point")
        jacobian = np.empty((3, self.model.nv))
        mujoco.mj_comPos(self.model, self.data)
        mujoco.mj_jac(self.model, self.data, jacobian, None, position, self._tcp_body)
        joints = [self.joint_names.index(name) for name in self.spec.action_joints]
        return jacobian[:, self.qvel_index[joints]]

    @property
    def time(self) -> float:
        """Seconds since the last reset."""
        return float(self.data.time)

    @property
    def physics_size(self) -> int:
        """Length of a physics state."""
        return int(self.model.nq + self.model.nv + self.model.na)

    def physics_state(self) -> np.ndarray:
        """Joint positions, velocities and actuator activations, `(nq + nv + na,)`."""
        return np.concatenate([self.data.qpos, self.data.qvel, self.data.act])

    def copy(self) -> Self:
        """A copy of the robot with its own state; set that state before stepping."""
        other = copy.copy(self)
        other.data, other._elsewhere = mujoco.MjData(self.model), mujoco.MjData(self.model)
        return other

    def set_physics_state(self, state: np.ndarray) -> None:
        """Sets a state that `physics_state` returned, with controls at rest."""
        self._require_physics(state)
        mujoco.mj_resetData(self.model, self.data)
        ends = [self.model.nq, self.model.nq + self.model.nv]
        self.data.qpos[:], self.data.qvel[:], self.data.act[:] = np.split(state, ends)
        mujoco.mj_forward(self.model, self.data)

    def _require_physics(self, states: np.ndarray) -> None:
        if states.shape[-1] != self.physics_size:
            name, size = self.spec.name, self.physics_size
            raise FbRosError(f"physics state has shape {states.shape}, {name} takes ({size},)")
