"""`policy_node`: drives the robot with the policy and the present `z`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import (
    LifecycleNode,
    LifecyclePublisher,
    LifecycleState,
    TransitionCallbackReturn,
)
from rclpy.timer import Timer
from std_msgs.msg import Float64MultiArray

from fb_ros.backends.graphs import Precision, require_precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy, warm_up
from fb_ros.control.control_loop import ControlLoop, rehearsal_lead
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.step import Order
from fb_ros.errors import FbRosError
from fb_ros.nodes.entities import Entities
from fb_ros.nodes.event import event
from fb_ros.nodes.messages import label_of, to_array_message
from fb_ros.nodes.observation_source import (
    subscribe_to_state,
    subscribe_to_vector,
)
from fb_ros.nodes.policy_parameters import PolicyParameters
from fb_ros.nodes.policy_report import PolicyReport
from fb_ros.nodes.qos import LATCHED, STREAM, overridable
from fb_ros.nodes.run import run_node
from fb_ros.nodes.single_instance import SingleInstance
from fb_ros.nodes.stop_button import EMERGENCY, StopButton

_SUCCESS = TransitionCallbackReturn.SUCCESS

MakePolicy = Callable[[Bundle, str, Precision], Policy]


class PolicyNode(LifecycleNode):
    """Answers every observation with one command, and stands still when something is wrong."""

    def __init__(self, make_policy: MakePolicy = Policy) -> None:
        super().__init__("policy_node")
        self._instance = SingleInstance(self)
        self._make_policy = make_policy
        self._loop: ControlLoop | None = None
        self._commands: LifecyclePublisher | None = None
        self._entities = Entities(self)
        """Everything that configuring creates and cleaning up destroys."""
        self._starting = False
        # The name _parameters belongs to the node itself.
        self._own_parameters = PolicyParameters(
            self, lambda: self._loop is not None, self._on_settings
        )
        self._report = PolicyReport(self)
        # An emergency stop that comes before the node is configured counts, too.
        self._stop_button = StopButton(self, lambda: self._loop)
        # The wall clock lets the node report on a simulation that stands still, too.
        self._wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report.publish, clock=self._wall)

    def start(self) -> None:
        """Configures and activates the node, if it is to start by itself."""
        if not self._own_parameters.autostart:
            # A bad bundle is reported now, and not only when somebody configures the node.
            self._own_parameters.load_bundle()
            return
        self._starting = True
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != _SUCCESS:
                raise FbRosError(self._report.problem)
        self._starting = False

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self._configure()
        except Exception as error:
            # Libraries raise any exception; none of them leaves half a node.
            self._free()
            return self._fail("configure", error)
        return super().on_configure(state)

    def _fail(self, transition: str, error: Exception) -> TransitionCallbackReturn:
        self._report.fail(" ".join(str(error).split()) or repr(error))
        if not self._starting:
            # The caller of the transition learns only that it failed.
            self.get_logger().error(event(f"{transition}_failed", reason=self._report.problem))
        return TransitionCallbackReturn.FAILURE

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        assert self._loop is not None
        try:
            # A node that already drives the robot must not be disturbed.
            self._instance.wait()
        except FbRosError as error:
            return self._fail("activate", error)
        result = super().on_activate(state)
        self._loop.activate()
        self.get_logger().info(event("activated", model=self._model))
        return result

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stand_still()
        self.get_logger().info(event("deactivated"))
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        result = super().on_cleanup(state)
        self._free()
        return result

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        self._stand_still()
        result = super().on_shutdown(state)
        self._free()
        return result

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        self.stop_robot()
        return _SUCCESS

    def stop_robot(self) -> None:
        """Stops the robot before the node ends, whatever state the node is in."""
        self._stand_still()
        self._free()

    def _configure(self) -> None:
        parameters = self._own_parameters
        bundle = parameters.load_bundle()
        robot = bundle.robot
        parameters.require_robot(robot)
        from_sensors = parameters.text("observation_source") == "sensors"
        policy = self._warm_policy(bundle)
        self._commands = self.create_lifecycle_publisher(
            Float64MultiArray, "commands", **overridable(STREAM)
        )
        self._entities.add(self._commands)
        self._loop = loop = ControlLoop(
            robot,
            policy,
            model_id=bundle.model_id,
            z_dim=bundle.z_dim,
            settings=parameters.settings,
            send=self._send,
            practise=self._practise,
            now=self._now,
            on_change=self._report.tell_changes,
            on_answer=self._report.answered,
        )
        self._report.watch(loop.controller, bundle, policy)
        if self._stop_button.pressed:
            loop.controller.halt(EMERGENCY)
        self._model = bundle.model_id[:12]
        subscribe = subscribe_to_state if from_sensors else subscribe_to_vector
        self._entities.add(
            *subscribe(self, robot, loop.observe, loop.refuse, self._report.wait),
            self.create_subscription(
                Float64MultiArray, "z", callback=self._on_z, **overridable(LATCHED)
            ),
            *self._stop_button.offer_services(),
            # The robot's clock makes a paused simulation no silent sensor.
            self.create_timer(robot.ctrl_dt, loop.watch),
            self.create_timer(robot.ctrl_dt, loop.watch_z, clock=self._wall),
        )
        loop.stops = self._alarm(robot.ctrl_dt, loop.stop_again)
        lead = rehearsal_lead(robot.ctrl_dt)
        if lead is not None:
            loop.rehearsals = self._alarm(robot.ctrl_dt - lead, loop.rehearse)
        self.get_logger().info(
            event("configured", model=self._model, robot=robot.name, z=bundle.z_dim)
        )

    def _warm_policy(self, bundle: Bundle) -> Policy:
        precision = require_precision(self._own_parameters.text("precision"))
        policy = self._make_policy(bundle, self._own_parameters.text("backend"), precision)
        warm_up(policy, bundle)
        return policy

    def _alarm(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """A timer of the wall clock that does nothing until it is set."""
        timer: Timer = self.create_timer(seconds, callback, clock=self._wall)
        timer.cancel()
        self._entities.add(timer)
        return timer

    def _free(self) -> None:
        if self._loop is not None:
            self._loop.close()
        self._entities.destroy()
        self._loop = self._commands = None
        self._report.forget()

    def _on_z(self, message: Float64MultiArray) -> None:
        arrived = time.perf_counter()
        if self._loop is None:
            # The call was queued before the node was cleaned up.
            return
        z = np.asarray(message.data, dtype=np.float32)
        before = self._loop.controller.z
        self._loop.take_z(z, label_of(message), arrived)
        # The report comes at once, not at the next second, so a test can wait for the new z.
        if before is None or not np.array_equal(z, before):
            self._report.publish()

    def _on_settings(self, settings: ControlSettings) -> None:
        if self._loop is not None:
            self._loop.change(settings)

    def _now(self) -> float:
        return float(self.get_clock().now().nanoseconds) * 1e-9

    def _send(self, order: Order) -> None:
        if self._commands is not None:
            self._commands.publish(to_array_message(order.command, order.label))

    def _practise(self, order: Order) -> None:
        to_array_message(order.command, order.label)

    def _stand_still(self) -> None:
        if self._loop is not None:
            self._loop.stand_still()


def main() -> int:
    """Entry point of the process."""
    # This executor waits for events. Polling every entity in turn takes longer than a policy.
    return run_node("policy_node", PolicyNode, EventsExecutor)


if __name__ == "__main__":
    sys.exit(main())
