"""A simulated robot on a test bench, whose messages the bench can tamper with."""

from __future__ import annotations

import dataclasses
import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from rclpy.time import Time
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import STREAM
from sim.node.robot_messages import joint_states_message, tcp_pose_message
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng

# A drive stops by itself after this many seconds without a command, as real drives do.
DRIVE_TIMEOUT = 0.2
# The subscriber checks every command, so its queue must lose none.
_EVERY_ONE = QoSProfile(depth=1000)


@dataclasses.dataclass
class Wires:
    """How the bench changes the messages on their way to the nodes."""

    silent: bool = False
    """The sensors are silent; the clock keeps running."""
    paused: bool = False
    """Robot and clock both stand still."""
    delay_s: float = 0.0
    """Delay of sensor messages, s."""
    twice: bool = False
    """Every sensor message arrives twice."""
    lost_every: int = 0
    """One in this many sensor messages is lost; 0: none is."""
    swapped: bool = False
    """Sensor messages arrive in pairs, each pair in reverse order."""
    frozen: bool = False
    """The sensors repeat their last message, with its stamp."""
    shuffled: bool = False
    """The joints arrive in another order."""
    extra: bool = False
    """The message holds an additional, unknown joint."""
    missing: str = ""
    """Name of a joint that is left out."""
    not_finite: int | None = None
    """Index of the sensor value that is NaN: joint positions, then velocities, then pose."""
    offset: tuple[str, float] | None = None
    """A joint, and the error of its measured position, rad."""
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The driver's name of each joint that it names differently."""


class BenchRobot(Node):
    """The robot's side of its topics: it paces the physics and checks every command it
    receives."""

    def __init__(self, namespace: str, environment: Environment) -> None:
        super().__init__("bench_robot", namespace=namespace)
        self.wires = Wires()
        self.environment, self.spec = environment, environment.spec
        self.clock_s = 100_000.0
        """The robot's clock, s; it starts high, so that it can jump far back and stay positive."""
        self.commands: list[tuple[float, np.ndarray]] = []
        """Arrival time (s, `time.perf_counter`) and value of every command received."""
        self.wrong: list[np.ndarray] = []
        """The commands that were not finite or beyond a limit."""
        self.drive_stopped_at: float | None = None
        """When the drive stopped by itself; None while it receives commands."""
        self._heard = (-np.inf, np.zeros(self.spec.act_dim))
        self._low, self._high = np.asarray(self.spec.action_low), np.asarray(self.spec.action_high)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._clock_out = self.create_publisher(ClockMessage, "/clock", STREAM)
        self._joints_out = self.create_publisher(JointState, "joint_states", STREAM)
        self._pose_out = self.create_publisher(PoseStamped, "tcp_pose", STREAM)
        self.create_subscription(Float64MultiArray, "commands", self._on_command, _EVERY_ONE)
        self._on_their_way: deque[tuple[float, JointState, PoseStamped]] = deque()
        self._last: tuple[JointState, PoseStamped] | None = None
        self._held: tuple[JointState, PoseStamped] | None = None
        self._rng = np.random.default_rng(0)
        self._ticks = 0
        self.reset(0)
        self._due = time.perf_counter()

    def reset(self, episode: int) -> None:
        """Puts the arm into the initial state of this episode."""
        self.environment.reset(episode_rng(0, episode))

    def run(self, seconds: float) -> None:
        """Runs the robot for `seconds`."""
        end = time.perf_counter() + seconds
        self.run_until(lambda: time.perf_counter() >= end, "time to pass", seconds + 10.0)

    def run_until(self, done: Callable[[], bool], what: str, patience: float = 120.0) -> None:
        """Runs the robot in real time until `done`."""
        deadline = time.perf_counter() + patience
        while not done():
            now = time.perf_counter()
            if now > deadline:
                raise FbRosError(f"waited {patience:g} s for {what}")
            if now >= self._due:
                self._tick(now)
            while self._on_their_way and self._on_their_way[0][0] <= now:
                _, joints, pose = self._on_their_way.popleft()
                self._send(joints, pose)
            self._executor.spin_once(timeout_sec=max(0.0, min(self._due - now, 0.005)))

    @property
    def stands(self) -> bool:
        """Whether the newest command tells the robot to stand still."""
        return bool(self.commands) and not np.any(self.commands[-1][1])

    def first_after(self, since: float, standing: bool) -> float | None:
        """When the first command after `since` came that makes the robot stand, or move."""
        for arrived, command in self.commands:
            if arrived > since and bool(np.any(command)) != standing:
                return arrived
        return None

    def _tick(self, now: float) -> None:
        # Periods that a busy machine missed are skipped.
        self._due = max(self._due + self.spec.ctrl_dt, now)
        if self.wires.paused:
            return
        obeys = now - self._heard[0] < DRIVE_TIMEOUT
        if obeys:
            self.drive_stopped_at = None
        elif self.drive_stopped_at is None:
            self.drive_stopped_at = now
        command = self._heard[1] if obeys else np.zeros(self.spec.act_dim)
        self.environment.step(np.clip(command, self._low, self._high))
        self.clock_s += self.spec.ctrl_dt
        stamp = Time(seconds=self.clock_s).to_msg()
        self._clock_out.publish(ClockMessage(clock=stamp))
        self._ticks += 1
        lost = self.wires.lost_every and self._ticks % self.wires.lost_every == 0
        if self.wires.silent or lost:
            return
        fresh = self._joint_states(stamp), self._tcp_pose(stamp)
        if self.wires.frozen and self._last is not None:
            fresh = self._last
        self._last = fresh
        if self.wires.swapped and self._held is None:
            self._held = fresh
            return
        self._on_their_way.append((now + self.wires.delay_s, *fresh))
        if self._held is not None:
            self._on_their_way.append((now + self.wires.delay_s, *self._held))
            self._held = None

    def _send(self, joints: JointState, pose: PoseStamped) -> None:
        for _ in range(2 if self.wires.twice else 1):
            self._joints_out.publish(joints)
            self._pose_out.publish(pose)

    def _joint_states(self, stamp: object) -> JointState:
        state, wires = self.environment.robot_state(), self.wires
        names = list(state.joint_names)
        position, velocity = state.joint_position.copy(), state.joint_velocity.copy()
        if wires.offset is not None:
            position[names.index(wires.offset[0])] += wires.offset[1]
        numbers = np.concatenate([position, velocity])
        if wires.not_finite is not None and wires.not_finite < len(numbers):
            numbers[wires.not_finite] = np.nan
        position, velocity = np.split(numbers, 2)
        order = np.arange(len(names))
        if wires.shuffled:
            order = self._rng.permutation(order)
        if wires.missing:
            order = order[order != names.index(wires.missing)]
        unknown = np.zeros(int(wires.extra))
        return joint_states_message(
            stamp,
            [wires.names.get(names[i], names[i]) for i in order] + ["lamp"] * wires.extra,
            np.concatenate([position[order], unknown]),
            np.concatenate([velocity[order], unknown]),
        )

    def _tcp_pose(self, stamp: object) -> PoseStamped:
        state = self.environment.robot_state()
        assert state.tcp_position is not None
        assert state.tcp_orientation is not None
        numbers = np.concatenate([state.tcp_position, state.tcp_orientation])
        first = 2 * len(state.joint_names)
        if self.wires.not_finite is not None and self.wires.not_finite >= first:
            numbers[self.wires.not_finite - first] = np.nan
        return tcp_pose_message(stamp, self.spec.frame, numbers[:3], numbers[3:])

    def _on_command(self, message: Float64MultiArray) -> None:
        command = np.asarray(message.data)
        self.commands.append((time.perf_counter(), command))
        right = command.shape == self._low.shape and bool(np.all(np.isfinite(command)))
        if right:
            self._heard = self.commands[-1]
        if not right or np.any(command < self._low) or np.any(command > self._high):
            self.wrong.append(command)
