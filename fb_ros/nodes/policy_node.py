"""`policy_node`: drives the robot with the policy and the present `z`."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.clock import Clock, ClockType
from rclpy.experimental import EventsExecutor
from rclpy.lifecycle import (
    LifecycleNode,
    LifecyclePublisher,
    LifecycleState,
    TransitionCallbackReturn,
)
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_msgs.msg import Bool, Float64MultiArray
from std_srvs.srv import Trigger

from fb_ros.backends.graphs import Precision, require_precision
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.bundle.policy import Policy
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.controller import STOP_REPEATS, Controller, Observation, Order, Step
from fb_ros.control.joint_reading import ObservationReader, reading_of_state, require_finite
from fb_ros.control.limits import limits_of
from fb_ros.control.rehearsal import Rehearsal
from fb_ros.control.watchdog import Watchdog
from fb_ros.errors import FbRosError
from fb_ros.nodes.event import event
from fb_ros.nodes.latency import LatencyWindow
from fb_ros.nodes.messages import (
    ERROR,
    OK,
    WARN,
    label_of,
    to_array_message,
    to_diagnostics,
    to_status,
)
from fb_ros.nodes.policy_parameters import PolicyParameters
from fb_ros.nodes.qos import EVENTS, LATCHED, STREAM, overridable
from fb_ros.nodes.run import run_node
from fb_ros.nodes.sensor_messages import subscribe_to_sensors
from fb_ros.paths import find_bundle
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_state import RobotState
from fb_ros.task_inference.z_digest import z_digest

_SUCCESS = TransitionCallbackReturn.SUCCESS

_EMERGENCY = "emergency stop"
# Nanoseconds.
_STAMP = re.compile("[0-9]{1,19}")
# A runtime's first calls set up its memory.
_WARM_UP_CALLS = 10
# A step is rehearsed so many seconds before a period is over, if the process has slept for so
# long by then: time for the rehearsal, for a step, and for an observation that comes early.
_REHEARSAL_LEAD = 0.004
_SHORTEST_SLEEP = 0.006

MakePolicy = Callable[[Bundle, str, Precision], Policy]


class PolicyNode(LifecycleNode):
    """Answers every observation with one command, and stands still when something is wrong."""

    def __init__(self, make_policy: MakePolicy = Policy) -> None:
        super().__init__("policy_node")
        self._make_policy = make_policy
        # The watchdog speaks from a thread of its own.
        self._lock = threading.RLock()
        self._controller: Controller | None = None
        self._watchdog: Watchdog | None = None
        self._bundle: Bundle | None = None
        self._policy: Policy | None = None
        self._commands: LifecyclePublisher | None = None
        self._entities: list[Subscription | Service | Timer] = []
        """What configuring makes, and cleaning up destroys."""
        self._problem = ""
        """Why configuring failed."""
        # Not _parameters, which is the node's own.
        self._own_parameters = PolicyParameters(
            self, lambda: self._controller is not None, self._on_settings
        )
        self._diagnostics = self.create_publisher(
            DiagnosticArray, "/diagnostics", **overridable(EVENTS)
        )
        # In every state: an emergency stop that comes before the node is configured counts, too.
        self._estopped = False
        self.create_subscription(Bool, "estop", self._on_estop, EVENTS)
        # By the wall clock: whoever watches wants to hear of a simulation that stands still, too.
        self._wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=self._wall)

    def start(self) -> None:
        """Configures and activates the node, if it is to start by itself."""
        if not self._own_parameters.autostart:
            # A bundle that is not right should not wait for somebody to configure the node.
            load_bundle(find_bundle(Path(self._own_parameters.text("bundle"))))
            return
        for trigger in (self.trigger_configure, self.trigger_activate):
            if trigger() != _SUCCESS:
                raise FbRosError(self._problem)

    # Transitions.

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            self._configure()
        except Exception as error:
            # Libraries raise what they like; none of it leaves half a node.
            self._free()
            self._problem = " ".join(str(error).split()) or repr(error)
            if not self._own_parameters.autostart:
                self.get_logger().error(event("configure_failed", reason=self._problem))
            return TransitionCallbackReturn.FAILURE
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        assert self._controller is not None
        assert self._bundle is not None
        result = super().on_activate(state)
        with self._lock:
            self._controller.activate()
        self._stop_timer.reset()
        self.get_logger().info(event("activated", model=self._bundle.model_id[:12]))
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
        self._stand_still()
        self._free()
        return _SUCCESS

    def stop_robot(self) -> None:
        """Tells the robot to stand still before the node ends, in whatever state it is."""
        self._stand_still()
        self._free()

    def _configure(self) -> None:
        bundle = load_bundle(find_bundle(Path(self._own_parameters.text("bundle"))))
        robot = bundle.robot
        self._own_parameters.require_robot(robot)
        settings = self._own_parameters.settings
        from_sensors = self._own_parameters.text("observation_source") == "sensors"
        reader = ObservationReader(robot)
        nothing = reader.read(np.zeros(robot.obs_dim))
        unknown = not from_sensors and bool(np.any(np.isnan(nothing.position)))
        if robot.action_interface == "position" and unknown:
            raise FbRosError(
                f"robot {robot.name} is controlled by position, and its observation does not tell "
                "where its joints are, which it needs to stand still; take "
                "observation_source:=sensors"
            )
        precision = require_precision(self._own_parameters.text("precision"))
        policy = self._make_policy(bundle, self._own_parameters.text("backend"), precision)
        example = np.asarray(bundle.reference_observations[0], dtype=np.float64)
        for _ in range(_WARM_UP_CALLS):
            command = policy.command(example, np.zeros(bundle.z_dim, dtype=np.float32))
        if not np.all(np.isfinite(command)):
            raise FbRosError(f"{bundle.path}: the policy's command is not finite")
        self._bundle, self._robot, self._policy = bundle, robot, policy
        self._reader, self._latency = reader, LatencyWindow()
        controller = Controller(
            robot, model_id=bundle.model_id, z_dim=bundle.z_dim, settings=settings
        )
        self._reported = ""
        self._z_missed = 0
        self._watchdog = Watchdog(
            settings.inference_timeout or robot.ctrl_dt,
            self._on_late,
            robot.ctrl_dt,
            self._on_waiting,
        )
        self._commands = self.create_lifecycle_publisher(
            Float64MultiArray, "commands", **overridable(STREAM)
        )
        if self._estopped:
            controller.halt(_EMERGENCY)
        self._controller = controller
        self._entities = [
            self.create_subscription(
                Float64MultiArray, "z", callback=self._on_z, **overridable(LATCHED)
            ),
        ]
        if from_sensors:
            self._entities += subscribe_to_sensors(
                self, robot, robot.observation, self._on_state, self._on_refusal
            )
        else:
            self._entities.append(
                self.create_subscription(
                    Float64MultiArray,
                    "observation",
                    callback=self._on_vector,
                    **overridable(STREAM),
                )
            )
            limits = limits_of(robot)
            limited = np.isfinite(limits.position_low) | np.isfinite(limits.position_high)
            unguarded = [
                robot.action_joints[i]
                for i in np.flatnonzero(limited & np.isnan(nothing.position))
            ]
            if unguarded:
                self.get_logger().warning(
                    event(
                        "unguarded_limits",
                        joints=", ".join(unguarded),
                        reason="the observation does not tell where they are; "
                        "observation_source:=sensors does",
                    )
                )
        self._entities += [
            self.create_service(Trigger, "~/stop", self._on_stop),
            self.create_service(Trigger, "~/resume", self._on_resume),
            # By the robot's clock: a simulation that pauses is no sensor that is silent.
            self.create_timer(robot.ctrl_dt, self._watch),
            self.create_timer(robot.ctrl_dt, self._watch_z, clock=self._wall),
        ]
        self._stop_timer = self.create_timer(robot.ctrl_dt, self._stop_again, clock=self._wall)
        self._stop_timer.cancel()
        self._entities.append(self._stop_timer)
        self._rehearsal = Rehearsal(robot, policy, model_id=bundle.model_id, z_dim=bundle.z_dim)
        self._rehearsed: Step | None = None
        self._rehearsal_timer: Timer | None = None
        if robot.ctrl_dt >= _SHORTEST_SLEEP + _REHEARSAL_LEAD:
            self._rehearsal_timer = self.create_timer(
                robot.ctrl_dt - _REHEARSAL_LEAD, self._rehearse, clock=self._wall
            )
            self._rehearsal_timer.cancel()
            self._entities.append(self._rehearsal_timer)
        self.get_logger().info(
            event("configured", model=bundle.model_id[:12], robot=robot.name, z=bundle.z_dim)
        )

    def _free(self) -> None:
        if self._watchdog is not None:
            self._watchdog.close()
        for entity in self._entities:
            if isinstance(entity, Timer):
                self.destroy_timer(entity)
            elif isinstance(entity, Service):
                self.destroy_service(entity)
            else:
                self.destroy_subscription(entity)
        if self._commands is not None:
            self.destroy_lifecycle_publisher(self._commands)
        self._entities = []
        self._bundle = self._controller = self._watchdog = self._commands = self._policy = None

    # What arrives.

    def _on_vector(self, message: Float64MultiArray) -> None:
        arrived = time.perf_counter()
        values, label = np.asarray(message.data), label_of(message)
        if values.shape != (self._robot.obs_dim,):
            self._on_refusal(f"{values.size} numbers, expected {self._robot.obs_dim}")
            return
        reading = self._reader.read(values)
        stamp = int(label) * 1e-9 if _STAMP.fullmatch(label) else None
        self._observe(
            Observation(values=values, reading=reading, label=label, stamp=stamp), arrived
        )

    def _on_state(self, state: RobotState, stamp: int) -> None:
        arrived = time.perf_counter()
        if not stamp:
            self._on_refusal("the robot's sensors carry no stamp; nothing tells how old they are")
            return
        try:
            values = assemble(self._robot.observation, state)
            reading = reading_of_state(self._robot, state)
            require_finite(reading, self._robot)
        except FbRosError as error:
            self._on_refusal(str(error))
            return
        observation = Observation(
            values=values, reading=reading, label=str(stamp), stamp=stamp * 1e-9
        )
        self._observe(observation, arrived)

    def _observe(self, observation: Observation, arrived: float) -> None:
        now = self._now()
        if not now:
            self._on_refusal("there is no /clock yet; use_sim_time:=false goes by the wall clock")
            return
        self._decide(lambda core: core.observe(observation, now), arrived)

    def _on_refusal(self, reason: str) -> None:
        self._decide(lambda core: core.refuse_observation(reason))

    def _on_z(self, message: Float64MultiArray) -> None:
        arrived = time.perf_counter()
        z = np.asarray(message.data, dtype=np.float32)
        before = self._controller.z if self._controller is not None else None
        self._z_missed = 0
        self._decide(lambda core: core.take_z(z, label_of(message)), arrived)
        # At once and not at the next second: a test can wait for the new z to be in force.
        if before is None or not np.array_equal(z, before):
            self._publish_diagnostics()

    def _on_estop(self, message: Bool) -> None:
        if message.data:
            self._estopped = True
            self._decide(lambda core: core.halt(_EMERGENCY))

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._decide(lambda core: core.halt("stop was asked for"))
        response.success, response.message = True, "standing still; call resume to go on"
        return response

    def _on_resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        missing = "the node is being cleaned up"
        with self._lock:
            if self._controller is not None:
                missing = self._controller.resume(self._now())
        self._estopped = self._estopped and bool(missing)
        response.success, response.message = not missing, missing or "moving again"
        self._tell_changes()
        return response

    def _on_settings(self, settings: ControlSettings) -> None:
        if self._controller is None:
            return
        with self._lock:
            self._controller.change(settings)
        assert self._watchdog is not None
        self._watchdog.timeout = settings.inference_timeout or self._robot.ctrl_dt

    # Time.

    def _watch(self) -> None:
        self._decide(lambda core: core.watch(self._now()))

    def _stop_again(self) -> None:
        # Runs while the robot stands still, and only then: it costs time that a policy needs.
        if self._decide(lambda core: core.stop_again()) is None:
            self._stop_timer.cancel()

    def _watch_z(self) -> None:
        # By looks, of which a process that was not run for a while makes up for none: a z that
        # waits in the queue is not missing.
        self._z_missed += 1
        seconds = self._z_missed * self._robot.ctrl_dt
        self._decide(lambda core: core.miss_z(seconds))
        # A timer of the robot's clock may wait for long after that has gone back.
        self._watch()

    def _on_late(self, step: Step, seconds: float) -> None:
        # In the watchdog's thread, while the policy is still being waited for.
        self._decide(lambda core: core.late(step, seconds), hanging=True)

    def _on_waiting(self) -> None:
        # In that thread, too: the timer that repeats stops waits for the policy.
        self._decide(lambda core: core.stop_again(), hanging=True)

    # What is done.

    def _now(self) -> float:
        return float(self.get_clock().now().nanoseconds) * 1e-9

    def _decide(
        self,
        decide: Callable[[Controller], Step | Order | None],
        arrived: float = 0.0,
        *,
        hanging: bool = False,
    ) -> Step | Order | None:
        """Carries out what the controller decides on, and returns it.

        While the policy is `hanging`, so does the timer that repeats stops.
        """
        # Deciding and sending are one: no motion follows a stop that was decided on after it.
        with self._lock:
            if self._controller is None:
                # What had been queued before the node was cleaned up.
                return None
            due = decide(self._controller)
            self._send(due)
        if isinstance(due, Step):
            self._run(due, arrived)
        elif isinstance(due, Order) and not due.label and not hanging:
            self._stop_timer.reset()
        self._tell_changes()
        return due

    def _run(self, step: Step, arrived: float) -> None:
        """Asks the policy, without the lock: it may hang."""
        assert self._watchdog is not None
        assert self._policy is not None
        self._watchdog.begin(step)
        command, problem = np.empty(0), ""
        try:
            command = self._policy.command(step.observation.values, step.z)
        except Exception as error:
            # Whatever a runtime throws, the robot is told to stand still.
            problem = " ".join(f"{type(error).__name__}: {error}".split())
        self._watchdog.end()
        with self._lock:
            core = self._controller
            if core is None:
                return
            if problem:
                self._send(core.fail(step, problem))
                self._stop_timer.reset()
                return
            order = core.complete(step, command, self._now())
            self._send(order)
            if order is None or core.halted:
                # It came too late, or must not be sent.
                self._stop_timer.reset()
                return
        taken = time.perf_counter() - arrived
        self._latency.add(taken)
        self._rehearsed = step
        # A policy that takes long would still be rehearsing when the robot waits for it.
        if self._rehearsal_timer is not None and taken < 0.5 * _REHEARSAL_LEAD:
            self._rehearsal_timer.reset()

    def _rehearse(self) -> None:
        """Practises the next step on the last observation; nothing of it is sent."""
        assert self._rehearsal_timer is not None
        self._rehearsal_timer.cancel()
        if self._controller is None or not self._controller.moving:
            return
        assert self._watchdog is not None
        assert self._rehearsed is not None
        self._watchdog.begin(self._rehearsed)
        order = self._rehearsal.run(self._rehearsed)
        self._watchdog.end()
        if order is not None:
            to_array_message(order.command, order.label)

    def _send(self, due: Step | Order | None) -> None:
        if isinstance(due, Order) and self._commands is not None:
            self._commands.publish(to_array_message(due.command, due.label))

    def _stand_still(self) -> None:
        """The stop command several times, a period apart; for the end of a state."""
        if self._controller is None:
            return
        with self._lock:
            due = self._controller.deactivate()
        for _ in range(STOP_REPEATS):
            if due is None:
                return
            self._send(due)
            time.sleep(self._robot.ctrl_dt)
            due = self._controller.stop_again()

    # What is told.

    def _tell_changes(self) -> None:
        core = self._controller
        if core is None:
            return
        standing = core.halted or core.fault
        if standing == self._reported:
            return
        self._reported = standing
        if core.halted:
            self.get_logger().error(event("halted", reason=core.halted, until="resume"))
        elif core.fault:
            self.get_logger().warning(
                event("standing", reason=core.fault), throttle_duration_sec=1.0
            )
        else:
            self.get_logger().info(event("moving"), throttle_duration_sec=1.0)
        self._publish_diagnostics()

    def _state(self) -> tuple[bytes, str]:
        state = self._state_machine.current_state[1]
        if self._controller is None or state != "active":
            return WARN, state
        core = self._controller
        if core.halted:
            return ERROR, f"standing still: {core.halted}"
        if core.fault:
            return WARN, f"standing still: {core.fault}"
        if core.observation_age(self._now()) is None:
            return WARN, "waiting for an observation"
        if core.z is None:
            return OK, "waiting for z"
        return OK, "moving"

    def _publish_diagnostics(self) -> None:
        level, text = self._state()
        values: dict[str, object] = {"state": self._state_machine.current_state[1]}
        hardware = ""
        if self._controller is not None:
            assert self._bundle is not None
            assert self._policy is not None
            core, hardware = self._controller, self._robot.name
            values["runtime"] = self._policy.runtime
            values |= {"model_id": self._bundle.model_id, "z": z_digest(core.z), **core.counts}
            values |= {f"interventions_{name}": n for name, n in core.interventions.items()}
            figures = self._latency.figures()
            values |= {name: f"{value:.3f}" for name, value in figures.items()}
            age = core.observation_age(self._now())
            if age is not None:
                values["observation_age_s"] = f"{age:.3f}"
        name = f"{self.get_fully_qualified_name()}: policy"
        status = to_status(level, name, text, values, hardware)
        self._diagnostics.publish(to_diagnostics(status, self.get_clock().now()))


def main() -> int:
    """Entry point of the process."""
    # It waits for events and does not ask all entities in turn, which takes longer than a policy.
    return run_node("policy_node", PolicyNode, EventsExecutor)


if __name__ == "__main__":
    sys.exit(main())
