"""`policy_node`: drives the robot with the policy and the present `z`."""

from __future__ import annotations

import sys
import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.time import Time
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import Trigger

from fb_ros.errors import FbRosError
from fb_ros.field import assemble
from fb_ros.latency import LatencyWindow
from fb_ros.nodes.messages import (
    ERROR,
    OK,
    WARN,
    label_of,
    stamp_of,
    to_array_message,
    to_diagnostics,
    to_status,
)
from fb_ros.nodes.parameters import declare_bundle, declare_number, declare_text
from fb_ros.nodes.qos import LATCHED, STREAM
from fb_ros.nodes.run import run_node
from fb_ros.nodes.sensor_messages import add_joint_states, add_tcp_pose
from fb_ros.policy import Policy
from fb_ros.robot_state import RobotState
from fb_ros.sensor_match import SensorMatch
from fb_ros.stop_command import stop_command
from fb_ros.z_digest import z_digest

# A command is lost now and then, and forward controllers hold the last one for ever.
_STOP_REPEATS = 5

_SOURCES = ("vector", "sensors")


class PolicyNode(Node):
    """Answers every observation with one command, and stands still when something is wrong."""

    def __init__(self) -> None:
        super().__init__("policy_node")
        bundle = declare_bundle(self)
        backend = declare_text(self, "backend", "auto", "inference runtime")
        timeout = declare_number(
            self,
            "observation_timeout",
            0.0,
            "seconds without observation until stop; 0: 3 periods",
        )
        source = declare_text(
            self,
            "observation_source",
            "vector",
            "vector: from the topic observation; sensors: from joint_states and tcp_pose",
        )
        if timeout < 0.0:
            raise FbRosError(f"observation_timeout is {timeout:g}, expected 0 or more")
        if source not in _SOURCES:
            raise FbRosError(
                f"observation_source is {source!r}, expected one of {', '.join(_SOURCES)}"
            )
        self._robot, self._model_id = bundle.robot, bundle.model_id
        self._z_dim = bundle.z_dim
        self._timeout = timeout or 3.0 * self._robot.ctrl_dt
        self._policy = Policy(bundle, backend)
        self._latency = LatencyWindow()
        self._sensors = SensorMatch()

        self._z: np.ndarray | None = None
        self._observation: np.ndarray | None = None
        self._label = ""
        """Names that observation, as its command does too: its topic's label or its stamp."""
        self._command: Float64MultiArray | None = None
        """The command that answered the newest observation; None while it is unanswered."""
        self._observed_at: Time | None = None
        self._measured: RobotState | None = None
        self._halted = ""
        """Why a person or a fault holds the robot until `resume`; empty when nothing does."""
        self._stops_left = 0
        self._counts = {
            "refused_z": 0,
            "refused_observations": 0,
            "stale_observations": 0,
            "deadline_misses": 0,
        }

        self._commands = self.create_publisher(Float64MultiArray, "commands", STREAM)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        if source == "vector":
            self.create_subscription(Float64MultiArray, "observation", self._on_vector, STREAM)
        if source == "sensors" or self._robot.action_interface == "position":
            self.create_subscription(JointState, "joint_states", self._on_joint_states, STREAM)
        if source == "sensors":
            self.create_subscription(PoseStamped, "tcp_pose", self._on_tcp_pose, STREAM)
        self._from_sensors = source == "sensors"
        self.create_subscription(Float64MultiArray, "z", self._on_z, LATCHED)
        self.create_subscription(Bool, "estop", self._on_estop, 10)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/resume", self._on_resume)
        self.create_timer(self._robot.ctrl_dt, self._watch)
        # By the wall clock: whoever watches wants to hear of a simulation that stands still, too.
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=wall)
        self.get_logger().info(
            f"model {self._model_id[:12]} for {self._robot.name}; waiting for an observation and z"
        )

    def _on_vector(self, message: Float64MultiArray) -> None:
        self._observe(np.asarray(message.data), label_of(message))

    def _on_joint_states(self, message: JointState) -> None:
        try:
            state = add_joint_states(self._sensors, message)
            measured = RobotState(
                joint_names=tuple(message.name),
                joint_position=np.asarray(message.position),
                joint_velocity=np.asarray(message.velocity),
            )
            measured.joint_indices(self._robot.action_joints)
        except FbRosError as error:
            self._refuse_observation(str(error))
            return
        self._measured = measured
        self._observe_state(state, stamp_of(message))

    def _on_tcp_pose(self, message: PoseStamped) -> None:
        self._observe_state(add_tcp_pose(self._sensors, message), stamp_of(message))

    def _observe_state(self, state: RobotState | None, stamp: int) -> None:
        if state is None or not self._from_sensors:
            return
        try:
            observation = assemble(self._robot.observation, state)
        except FbRosError as error:
            self._refuse_observation(str(error))
            return
        self._observe(observation, str(stamp))

    def _observe(self, observation: np.ndarray, label: str) -> None:
        arrived = time.perf_counter()
        if observation.shape != (self._robot.obs_dim,) or not np.all(np.isfinite(observation)):
            self._refuse_observation(
                f"{observation.size} numbers, {np.sum(~np.isfinite(observation))} of them not "
                f"finite; expected {self._robot.obs_dim} finite ones of robot {self._robot.name}"
            )
            return
        # A simulation in lock-step repeats its state. It gets the same answer again, since one by
        # a newer z would make the trajectory depend on chance.
        if not (label and label == self._label):
            self._command = None
        self._observation, self._label = observation, label
        self._observed_at = self.get_clock().now()
        if self._command is not None and not self._halted:
            self._commands.publish(self._command)
        self._answer(arrived)

    def _refuse_observation(self, reason: str) -> None:
        self._counts["refused_observations"] += 1
        self.get_logger().error(
            f"observation refused: {reason}; standing still", throttle_duration_sec=1.0
        )
        self._observation = None
        self._stop_moving()

    def _answer(self, arrived: float) -> None:
        """Sends the command for the newest observation, unless that was done."""
        if self._command is not None or self._observation is None or self._z is None:
            return
        if self._halted:
            return
        command = self._policy.command(self._observation, self._z)
        if not np.all(np.isfinite(command)):
            self._halt("the policy's command was not finite")
            return
        self._command = to_array_message(command, self._label)
        self._commands.publish(self._command)
        self._stops_left = _STOP_REPEATS
        seconds = time.perf_counter() - arrived
        self._latency.add(seconds)
        self._counts["deadline_misses"] += seconds > self._robot.ctrl_dt

    def _on_z(self, message: Float64MultiArray) -> None:
        z, model = np.asarray(message.data, dtype=np.float32), label_of(message)
        reason = ""
        if model != self._model_id:
            reason = f"it is of model {model[:12] or '(none)'}, this is {self._model_id[:12]}"
        elif z.shape != (self._z_dim,):
            reason = f"it has {z.size} numbers, the model takes {self._z_dim}"
        elif not np.all(np.isfinite(z)):
            reason = "it is not finite"
        if reason:
            self._counts["refused_z"] += 1
            self.get_logger().error(f"z refused: {reason}; going on with the one before")
            return
        self._z = z
        self._answer(time.perf_counter())
        # At once and not at the next second: a test can wait for the new z to be in force.
        self._publish_diagnostics()

    def _on_estop(self, message: Bool) -> None:
        if message.data:
            self._halt("emergency stop")

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._halt("stop was asked for")
        response.success, response.message = True, "standing still; call resume to go on"
        return response

    def _on_resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._observation is None or self._stale():
            response.success, response.message = False, "no fresh observation; is the robot up?"
        elif self._z is None:
            response.success, response.message = False, "no z yet; publish a prompt"
        else:
            self._halted = ""
            response.success, response.message = True, "moving again"
        self._publish_diagnostics()
        return response

    def _halt(self, reason: str) -> None:
        self._halted, self._command = reason, None
        self._stop_moving()
        self.get_logger().warning(f"standing still until resume: {reason}")
        self._publish_diagnostics()

    def _stop_moving(self) -> None:
        """Sends the stop command now, and again at the next periods if the robot had moved."""
        command = stop_command(self._robot, self._measured)
        if self._stops_left and command is not None:
            self._commands.publish(to_array_message(command))
            self._stops_left -= 1

    def _stale(self) -> bool:
        if self._observed_at is None:
            return True
        age = (self.get_clock().now() - self._observed_at).nanoseconds * 1e-9
        return age > self._timeout

    def _watch(self) -> None:
        if self._observation is not None and self._stale():
            self._observation = None
            self._counts["stale_observations"] += 1
            self.get_logger().warning(
                f"no observation for {self._timeout:.3g} s; standing still until one comes"
            )
        if self._halted or self._observation is None:
            self._stop_moving()

    def _state(self) -> tuple[bytes, str]:
        if self._halted:
            return ERROR, f"standing still: {self._halted}"
        if self._observation is None:
            return WARN, "waiting for an observation"
        if self._z is None:
            return OK, "waiting for z"
        return OK, "moving"

    def _publish_diagnostics(self) -> None:
        level, text = self._state()
        values: dict[str, object] = {
            "model_id": self._model_id,
            "z": z_digest(self._z),
            **self._counts,
            **{name: f"{value:.3f}" for name, value in self._latency.figures().items()},
        }
        if self._observed_at is not None:
            age = (self.get_clock().now() - self._observed_at).nanoseconds * 1e-9
            values["observation_age_s"] = f"{age:.3f}"
        name = f"{self.get_fully_qualified_name()}: policy"
        status = to_status(level, name, text, values, self._robot.name)
        self._diagnostics.publish(to_diagnostics(status, self.get_clock().now()))

    def stop_robot(self) -> None:
        """Tells the robot to stand still before the node ends."""
        while self._stops_left:
            before = self._stops_left
            self._stop_moving()
            if self._stops_left == before:
                return


def main() -> int:
    """Entry point of the process."""
    return run_node("policy_node", PolicyNode)


if __name__ == "__main__":
    sys.exit(main())
