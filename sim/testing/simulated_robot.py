"""A robot in a test: each prompt, step, read-out or disturbance takes one line."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from fb_ros.bringup.options import default_options
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.nodes.qos import STREAM
from fb_ros.paths import open_bundle
from fb_ros.robot.robot_spec import RobotSpec
from sim.client.robot_client import RobotClient
from sim.client.robot_processes import RobotProcesses
from sim.client.running_robot import robot_up

# The queue is deep, since a stop is sent only a few times.
_EVERY_ONE = QoSProfile(depth=1000)


class SimulatedRobot:
    """A simulated robot and its nodes in a test. Each call waits for its effect."""

    def __init__(
        self,
        spec: RobotSpec,
        client: RobotClient,
        processes: RobotProcesses | None,
        *,
        lockstep: bool,
    ) -> None:
        self.spec = spec
        """The robot's joints, limits, control period and frame."""
        self.client = client
        """An rclpy node in the robot's namespace, for everything that this class lacks."""
        self.processes = processes
        """Its nodes' processes; None if they were started elsewhere."""
        self._lockstep = client.lockstep = lockstep
        self.commands: list[np.ndarray] = []
        """All commands sent to the robot, `(act_dim,)` each; may be cleared."""
        self._joints = JointState()
        client.create_subscription(
            Float64MultiArray, "commands", lambda m: self.commands.append(m.data), _EVERY_ONE
        )
        client.create_subscription(JointState, "joint_states", self._on_joints, STREAM)
        self._estop = client.create_publisher(Bool, "estop", 10)

    # Asking.

    def prompt(self, line: str) -> dict[str, str]:
        """Sends a prompt as on `prompt/skill`; returns the values of the answer.

        Returns when `policy_node` uses it. Raises `FbRosError` with the reason of a refusal.
        """
        status = self.client.publish_skill(line)
        if status.level == DiagnosticStatus.ERROR:
            raise FbRosError(status.message)
        values: dict[str, str] = values_of(status)
        if "z" in values:
            self.client.wait_for_z(status)
        return values

    def run(self, seconds: float) -> np.ndarray:
        """Runs the robot for `seconds`; returns its positions, `(steps, 3)` (m)."""
        period = self.spec.ctrl_dt
        if not self._lockstep:
            return self.client.watch(seconds, period, self.time, lambda time, position: None)
        return np.array([self.step() for _ in range(round(seconds / period))]).reshape(-1, 3)

    def step(self) -> np.ndarray:
        """Advances a robot in lock-step by one call; returns its position then, `(3,)` (m)."""
        time = self.client.step()["time"]
        self.client.wait_for(lambda: self.time > time - 1e-6, "the robot's pose after a step")
        return self.position

    def reset(self) -> None:
        """Puts the robot into its next initial state; the prompt stays in force."""
        time = self.client.reset()["time"]
        self.client.wait_for(lambda: self.time > time - 1e-6, "the robot's pose after a reset")

    # Looking.

    @property
    def time(self) -> float:
        """Stamp of the newest pose, in seconds."""
        return self.client.now()

    @property
    def position(self) -> np.ndarray:
        """Position of an arm's tool, or of another robot's body, `(3,)` (m)."""
        return self.client.position()

    def distance_to(self, *point: float) -> float:
        """Distance from that position to a point (m)."""
        return float(np.linalg.norm(self.position - np.array(point)))

    @property
    def joints(self) -> dict[str, float]:
        """Positions of the joints by name (rad, m)."""
        self.client.wait_for(lambda: bool(self._joints.name), "joint_states")
        return dict(zip(self._joints.name, self._joints.position, strict=True))

    @property
    def state(self) -> str:
        """The state that `policy_node` reports: `moving`, `standing still: …`."""
        return self.client.policy_state()

    def wait_until_it_stands(self) -> None:
        """Returns when the robot has received several commands to stand still; for robots that are
        controlled by velocity or effort."""
        self.client.wait_for(
            lambda: len(self.commands) >= 3 and not np.any(self.commands[-3:]),
            "the robot to be told to stand still",
        )

    def wait_until_it_moves(self) -> None:
        """Returns when the newest command makes the robot move."""
        self.client.wait_for(
            lambda: bool(self.commands) and bool(np.any(self.commands[-1])), "a motion"
        )

    # Disturbing.

    def press_estop(self) -> None:
        """Presses the emergency stop."""
        self.client.wait_for(lambda: self._estop.get_subscription_count() > 0, "policy_node")
        self._estop.publish(Bool(data=True))

    def resume(self) -> None:
        """Asks the robot to resume; raises `FbRosError` with the reason if it cannot."""
        answer = self._call(Trigger, "policy_node/resume", Trigger.Request())
        if not answer.success:
            raise FbRosError(answer.message)

    def silence_sensors(self, *, silent: bool = True) -> None:
        """Silences the sensors of a robot in real time, or lets them speak again."""
        self._call(SetBool, "sim_node/pause", SetBool.Request(data=silent))

    def signal(self, node: str, number: signal.Signals) -> None:
        """Sends a signal to the process of a node, such as SIGSTOP to make it hang."""
        self._own_processes().send(node, number)

    def kill(self, node: str) -> None:
        """Kills the process of a node."""
        self.client.alive = lambda: None
        self._own_processes().end(node, signal.SIGKILL)

    def restart(self, node: str) -> None:
        """Starts a node that was killed."""
        self._own_processes().start(node)

    def _own_processes(self) -> RobotProcesses:
        if self.processes is None:
            raise FbRosError("this robot was launched by somebody else; end its nodes there")
        return self.processes

    def _call(self, kind: type, service: str, request: object) -> Trigger.Response:
        client = self.client.create_client(kind, service)
        self.client.wait_for(client.service_is_ready, f"the service {service}")
        answer = client.call_async(request)
        self.client.wait_for(answer.done, service)
        self.client.destroy_client(client)
        return answer.result()

    def _on_joints(self, message: JointState) -> None:
        self._joints = message


@contextmanager
def simulated_robot(
    robot: str, options: Mapping[str, str], *, launched: bool = False
) -> Iterator[SimulatedRobot]:
    """A robot that is ready, for as long as the context lasts; needs an rclpy context.

    `options` are those of the launch files. A `launched` robot has been started already.
    """
    values = {**default_options(robot), **options}
    spec = open_bundle(values["bundle"]).robot
    lockstep = values["lockstep"] == "true"
    client = RobotClient(values["namespace"], frame=spec.frame)
    try:
        if launched:
            client.wait_until_ready()
            yield SimulatedRobot(spec, client, None, lockstep=lockstep)
        else:
            with robot_up(robot, values, client) as processes:
                yield SimulatedRobot(spec, client, processes, lockstep=lockstep)
    finally:
        client.destroy_node()
