"""`sim_node`: stands in for the robot, with the topics a real one would have."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.task import Future
from rclpy.time import Time
from rosgraph_msgs.msg import Clock as ClockMessage
from sensor_msgs.msg import Imu, JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import OK, WARN, label_of, to_array_message, to_diagnostics, to_status
from fb_ros.nodes.parameters import declare_flag, declare_number, declare_text, declare_whole
from fb_ros.nodes.qos import EVENTS, STREAM
from fb_ros.nodes.run import run_node
from fb_ros.robot.field import assemble
from sim.node.claim import Claim
from sim.node.rate_meter import RateMeter
from sim.node.robot_messages import imu_of, joint_states_message, odometry_of, tcp_pose_of
from sim.ranges import require_factor, require_seed
from sim.robots.registry import make_environment, require_robot
from sim.robots.start import require_start
from sim.tasks.episode_seed import episode_rng

# How long another node of this name has to show itself before this one believes to be alone.
_DISCOVERY_SECONDS = 1.0
# How long after its start it still gives way to one that was there before and shows itself late.
_YOUNG_SECONDS = 15.0
# In lock-step the state is told again in these intervals, for whoever was not there yet.
_REPEAT_SECONDS = 0.2

_CLOCK_TAKEN = (
    "/clock has a publisher already; start this one with publish_clock:=false and its nodes with "
    "use_sim_time:=false"
)


class SimNode(Node):
    """A simulated robot, paced by the wall clock or, in lock-step mode, by `step` calls.

    Time goes on across resets. In lock-step mode the robot waits for the command that answers
    its last observation, so that a trajectory depends on the seed and on the prompts alone.
    """

    def __init__(self) -> None:
        super().__init__("sim_node")
        robot = declare_text(self, "robot", "", "robot to simulate")
        self._seed = declare_whole(self, "seed", 0, "seed of the initial states")
        start = require_start(
            declare_text(
                self,
                "start",
                "standing",
                "where a robot with legs starts: standing, or as its benchmark has it (benchmark)",
            )
        )
        factor = declare_number(
            self, "real_time_factor", 1.0, "simulated seconds in a second of wall time"
        )
        self._lockstep = declare_flag(
            self, "lockstep", False, "advance only by the step service, each step on a command"
        )
        self._call_steps = declare_whole(
            self, "lockstep_steps", 1, "control periods in one call of step"
        )
        self._patience = declare_number(
            self, "lockstep_timeout", 5.0, "wall seconds that a step waits for its command"
        )
        publish_clock = declare_flag(
            self, "publish_clock", True, "whether this simulation is the one that makes /clock"
        )
        require_factor(factor)
        require_seed(self._seed)
        if self._call_steps < 1:
            raise FbRosError(f"lockstep_steps is {self._call_steps}, expected at least 1")
        if self._patience <= 0.0:
            raise FbRosError(f"lockstep_timeout is {self._patience}, expected above 0")
        require_robot(robot)
        self._publish_clock = publish_clock
        # Not _clock, which is the node's own.
        self._clock_publisher: Publisher | None = None
        self._claims = self._claim()
        self._started = time.monotonic()
        while time.monotonic() < self._started + _DISCOVERY_SECONDS:
            self._refuse_second()
            time.sleep(0.05)
        self._environment = make_environment(robot, start)
        self._spec = self._environment.spec
        self._factor = factor
        self._steps = RateMeter()
        self._paused = False
        self._episode = -1
        self._ticks = 0
        self._command = np.zeros(self._spec.act_dim)
        self._fresh = False
        """Whether the command that answers the present state has come."""
        self._answered_once = False
        self._waiting: Future | None = None
        self._stepping = False
        self._refused_commands = 0

        if publish_clock:
            self._clock_publisher = self.create_publisher(ClockMessage, "/clock", STREAM)
        self._joint_states = self.create_publisher(JointState, "joint_states", STREAM)
        state = self._environment.robot_state()
        tool, body = state.tcp_position is not None, state.base_position is not None
        self._tcp_pose = self.create_publisher(PoseStamped, "tcp_pose", STREAM) if tool else None
        self._odom = self.create_publisher(Odometry, "odom", STREAM) if body else None
        self._imu = self.create_publisher(Imu, "imu", STREAM) if body else None
        self._observation = self.create_publisher(Float64MultiArray, "observation", STREAM)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        self.create_subscription(Float64MultiArray, "commands", self._on_command, STREAM)
        # These wait for a command, so they must not keep the other callbacks from running.
        self._waiters = ReentrantCallbackGroup()
        self.create_service(Trigger, "~/reset", self._on_reset, callback_group=self._waiters)
        self.create_service(Trigger, "~/step", self._on_step, callback_group=self._waiters)
        self.create_service(SetBool, "~/pause", self._on_pause)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report, clock=wall)
        self.create_timer(1.0, self._keep_refusing_second, clock=wall)
        self._reset()
        if self._lockstep:
            self.create_timer(_REPEAT_SECONDS, self._publish_state, clock=wall)
        else:
            self.create_timer(self._spec.ctrl_dt / factor, self._tick, clock=wall)
        mode = "lock-step" if self._lockstep else f"real-time factor {factor:g}"
        self.get_logger().info(f"{self._spec.name} is up, {mode}, seed {self._seed}")

    def _claim(self) -> list[Claim]:
        """Two robots under one name would both obey every command, and time has one source."""
        claims = [Claim(f"sim_node {self.get_namespace()}", refusal=self._taken())]
        if self._publish_clock:
            claims.append(Claim("/clock", refusal=_CLOCK_TAKEN))
        return claims

    def _taken(self) -> str:
        return (
            f"there is a sim_node in namespace {self.get_namespace()} already; stop it, or start "
            "this one in another namespace (-r __ns:=/other)"
        )

    def _refuse_second(self) -> None:
        """The same across machines, as far as discovery has come."""
        if self.get_node_names_and_namespaces().count((self.get_name(), self.get_namespace())) > 1:
            raise FbRosError(self._taken())
        own = int(self._clock_publisher is not None)
        if self._publish_clock and self.count_publishers("/clock") > own:
            raise FbRosError(_CLOCK_TAKEN)

    def _keep_refusing_second(self) -> None:
        """A busy machine may show the others late; the one that came last gives way."""
        if time.monotonic() - self._started < _YOUNG_SECONDS:
            self._refuse_second()

    def _now(self) -> Time:
        nanoseconds = round(self._ticks * self._spec.ctrl_dt * 1e9)
        return Time(nanoseconds=nanoseconds, clock_type=ClockType.ROS_TIME)

    def _label(self) -> str:
        """Names the present state; the command that answers it carries the same label."""
        return str(self._now().nanoseconds)

    def _reset(self) -> None:
        self._episode += 1
        self._environment.reset(episode_rng(self._seed, self._episode))
        self._command = np.zeros(self._spec.act_dim)
        self._ticks += 1
        self._fresh = False
        self._publish_state()

    def _advance(self) -> None:
        self._environment.step(self._command)
        self._ticks += 1
        self._fresh = False
        self._publish_state()

    def _publish_state(self) -> None:
        """Clock first, so that whoever reads it is not behind what it is about to hear."""
        stamp = self._now().to_msg()
        state = self._environment.robot_state()
        if self._clock_publisher is not None:
            self._clock_publisher.publish(ClockMessage(clock=stamp))
        self._joint_states.publish(
            joint_states_message(
                stamp, state.joint_names, state.joint_position, state.joint_velocity
            )
        )
        if self._tcp_pose is not None:
            self._tcp_pose.publish(tcp_pose_of(stamp, self._spec.frame, state))
        if self._odom is not None:
            self._odom.publish(odometry_of(stamp, self._spec.frame, state))
        if self._imu is not None:
            self._imu.publish(imu_of(stamp, state))
        observation = assemble(self._spec.observation, state)
        self._observation.publish(to_array_message(observation, self._label()))

    def _tick(self) -> None:
        # The timer skips the periods that a busy machine missed: making up for them would let
        # the robot move faster than its controller expects.
        if not self._paused:
            self._steps.count()
            self._advance()

    def _on_command(self, message: Float64MultiArray) -> None:
        command = np.asarray(message.data)
        if command.shape != (self._spec.act_dim,) or not np.all(np.isfinite(command)):
            self._refused_commands += 1
            self.get_logger().error(
                f"command refused: {command.size} numbers, expected {self._spec.act_dim} finite "
                "ones; keeping the one before",
                throttle_duration_sec=1.0,
            )
            return
        if self._lockstep and label_of(message) not in ("", self._label()):
            return  # It answers an observation that the robot has moved on from.
        # A real drive saturates too.
        self._command = np.clip(command, self._spec.action_low, self._spec.action_high)
        self._fresh = self._answered_once = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    async def _on_reset(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._stepping:
            response.success, response.message = False, "a step is under way; call reset after it"
            return response
        self._reset()
        response.success = True
        response.message = json.dumps(
            {"episode": self._episode, "seed": self._seed, "time": self._now().nanoseconds * 1e-9}
        )
        if self._lockstep and self._answered_once:
            # As in a step: the next prompt must not race with the answer to this state.
            await self._command_for_last_observation()
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = bool(request.data)
        self._steps.rate(time.monotonic())
        response.success = True
        response.message = "paused" if self._paused else "running"
        return response

    async def _on_step(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._stepping:
            response.success, response.message = False, "a step is under way; call one at a time"
        elif self._lockstep:
            self._stepping = True
            try:
                response.success = await self._step_on_commands()
            finally:
                self._stepping = False
            response.message = (
                f"no command within {self._patience:g} s of the observation; is policy_node "
                "running, and has it a z?"
            )
        elif self._paused:
            self._advance()
            response.success = True
        else:
            response.success, response.message = False, "not paused; call pause first"
        if response.success:
            response.message = json.dumps({"time": self._now().nanoseconds * 1e-9})
        return response

    async def _step_on_commands(self) -> bool:
        """Advances by one call's steps, each on the command that answers the state before it."""
        for _ in range(self._call_steps):
            if not await self._command_for_last_observation():
                return False
            self._advance()
        # The answer to the last observation belongs to this call: the next prompt must not race
        # with it.
        return await self._command_for_last_observation()

    async def _command_for_last_observation(self) -> bool:
        """Waits for the command that answers the present state; false when none came."""
        if self._fresh:
            return True
        answered = self._waiting = Future(executor=self.executor)

        def give_up() -> None:
            if not answered.done():
                answered.set_result(False)

        wall = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self.create_timer(self._patience, give_up, self._waiters, clock=wall)
        try:
            return bool(await answered)
        finally:
            self._waiting = None
            self.destroy_timer(timer)

    def _report(self) -> None:
        rate = self._steps.rate(time.monotonic())
        paced = not (self._paused or self._lockstep)
        factor = rate * self._spec.ctrl_dt if rate is not None and paced else None
        late = factor is not None and factor < 0.9 * self._factor
        if late:
            self.get_logger().warning(
                f"real-time factor {factor:.2f}, asked for {self._factor:g}: the machine is "
                "too slow or too busy",
                throttle_duration_sec=10.0,
            )
        values: dict[str, object] = {
            "real_time_factor": "" if factor is None else f"{factor:.3f}",
            "episode": self._episode,
            "refused_commands": self._refused_commands,
        }
        mode = "paused" if self._paused else "lock-step" if self._lockstep else "running"
        name = f"{self.get_fully_qualified_name()}: simulation"
        status = to_status(WARN if late else OK, name, mode, values, self._spec.name)
        self._diagnostics.publish(to_diagnostics(status, self._now()))


def main() -> int:
    """Entry point of the process."""
    return run_node("sim_node", SimNode)


if __name__ == "__main__":
    sys.exit(main())
