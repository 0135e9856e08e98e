"""The report of `policy_node`: diagnostics, and a line of log for every change."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.lifecycle import LifecycleNode

from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.control.controller import Controller
from fb_ros.nodes.event import event
from fb_ros.nodes.latency import LatencyWindow
from fb_ros.nodes.messages import ERROR, OK, WARN, to_diagnostics, to_status
from fb_ros.nodes.qos import EVENTS, overridable
from fb_ros.nodes.sensor_messages import PATIENCE
from fb_ros.task_inference.z_digest import z_digest

_WAITING_FOR_Z = "waiting for z"
_NO_Z = f"for more than {PATIENCE:g} s; is task_inference_node running, and has it had a prompt?"


class PolicyReport:
    """Publishes the state of a node on `/diagnostics`, configured or not."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._publisher = node.create_publisher(
            DiagnosticArray, "/diagnostics", **overridable(EVENTS)
        )
        self._latency = LatencyWindow()
        self._watched: tuple[Controller, Bundle, Policy] | None = None
        self._told = ""
        self._waiting = ""
        self._without_z: float | None = None
        """Since when only z is lacking, by the monotonic clock."""
        self._missed_z = False
        self.problem = ""
        """Why the last transition failed; empty when it did not."""

    def fail(self, reason: str) -> None:
        """Records that a transition has failed."""
        self.problem = reason
        self.publish()

    def watch(self, controller: Controller, bundle: Bundle, policy: Policy) -> None:
        """Reports on these objects from now on."""
        self._latency, self._told = LatencyWindow(), ""
        self._watched, self.problem = (controller, bundle, policy), ""

    def wait(self, reason: str) -> None:
        """Records why no observation comes; an empty reason when they do."""
        self._waiting = reason
        if reason and self._node._state_machine.current_state[1] == "active":
            log = self._node.get_logger()
            log.warning(event("waiting", reason=reason), throttle_duration_sec=10.0)

    def forget(self) -> None:
        """Stops reporting on a controller, because there is none any more."""
        self._watched, self._waiting = None, ""

    def answered(self, seconds: float) -> None:
        """Records the time from an observation's arrival to its command."""
        self._latency.add(seconds)

    def tell_changes(self) -> None:
        """Logs and publishes whether the robot moves or stands still, and why, on every change."""
        if self._watched is None:
            return
        core = self._watched[0]
        standing = core.halted or core.fault
        if standing == self._told:
            return
        self._told = standing
        log = self._node.get_logger()
        if core.halted:
            log.error(event("halted", reason=core.halted, until="resume"))
        elif core.fault:
            log.warning(event("standing", reason=core.fault), throttle_duration_sec=1.0)
        else:
            log.info(event("moving"), throttle_duration_sec=1.0)
        self.publish()

    def publish(self) -> None:
        """Publishes the present state and figures."""
        state = self._node._state_machine.current_state[1]
        values: dict[str, object] = {"state": state}
        level, text, hardware = WARN, state, ""
        if self.problem:
            level, text = ERROR, f"{state}: {self.problem}"
        now = self._node.get_clock().now()
        if self._watched is not None:
            core, bundle, policy = self._watched
            hardware = bundle.robot.name
            values["runtime"] = policy.runtime
            values |= {"model_id": bundle.model_id, "z": z_digest(core.z), **core.counts}
            values |= {f"interventions_{name}": n for name, n in core.interventions.items()}
            figures = self._latency.figures()
            values |= {name: f"{value:.3f}" for name, value in figures.items()}
            age = core.observation_age(now.nanoseconds * 1e-9)
            if age is not None:
                values["observation_age_s"] = f"{age:.3f}"
            if state == "active":
                level, text = _state_of(core, observed=age is not None)
                self._missed_z &= core.z is None
                if self._lacks_z(text):
                    level, text = WARN, f"{text} {_NO_Z}"
                if self._waiting and level != ERROR:
                    level, text = WARN, f"{text}: {self._waiting}"
        name = f"{self._node.get_fully_qualified_name()}: policy"
        status = to_status(level, name, text, values, hardware)
        self._publisher.publish(to_diagnostics(status, now))

    def _lacks_z(self, text: str) -> bool:
        """Whether the robot has waited for z for too long; logs that once
        until z comes."""
        now = time.monotonic()
        if text != _WAITING_FOR_Z:
            self._without_z = None
            return False
        self._without_z = now if self._without_z is None else self._without_z
        if now - self._without_z <= PATIENCE:
            return False
        if not self._missed_z:
            self._missed_z = True
            self._node.get_logger().warning(event("waiting", reason=f"{text} {_NO_Z}"))
        return True


def _state_of(core: Controller, *, observed: bool) -> tuple[bytes, str]:
    if core.halted:
        return ERROR, f"standing still: {core.halted}"
    if core.fault:
        return WARN, f"standing still: {core.fault}"
    if not observed:
        return WARN, "waiting for an observation"
    if core.z is None:
        return OK, _WAITING_FOR_Z
    return OK, "moving"
