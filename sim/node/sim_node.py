"""`sim_node`: stands in for the robot, with the topics of a real one."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool, Trigger

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import label_of
from fb_ros.nodes.parameters import declare_flag, declare_number, declare_text, declare_whole
from fb_ros.nodes.qos import STREAM
from fb_ros.nodes.run import run_node
from fb_ros.nodes.single_instance import SingleInstance
from sim.node.clock_source import ClockSource
from sim.node.description_publisher import DescriptionPublisher
from sim.node.lockstep import Lockstep
from sim.node.sim_report import SimReport
from sim.node.state_publisher import StatePublisher
from sim.ranges import require_factor, require_seed
from sim.robots.registry import make_environment, require_robot
from sim.robots.start import require_start
from sim.tasks.episode_seed import episode_rng

# In lock-step the state is published again in these intervals, for nodes that join late.
_REPEAT_SECONDS = 0.2


class SimNode(Node):
    """A simulated robot, paced by the wall clock or, in lock-step mode, by `step` calls.

    Time continues across resets. In lock-step mode the robot waits for the command that answers
    its last observation, so that a trajectory depends only on the seed and on the prompts.
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
        lockstep = declare_flag(
            self, "lockstep", False, "advance only by the step service, each step on a command"
        )
        call_steps = declare_whole(
            self, "lockstep_steps", 1, "control periods in one call of step"
        )
        patience = declare_number(
            self, "lockstep_timeout", 5.0, "wall seconds that a step waits for its command"
        )
        publish_clock = declare_flag(
            self, "publish_clock", True, "whether this simulation publishes /clock"
        )
        require_factor(factor)
        require_seed(self._seed)
        require_robot(robot)
        if not publish_clock and not self._on_ros_time() and factor != 1.0:
            raise FbRosError(
                f"real_time_factor is {factor:g}, and the wall clock, by which this simulation "
                "stamps, knows no other than 1; take use_sim_time:=true"
            )
        instance = SingleInstance(self, alone=lambda: self._time.require_only_one())
        # These callbacks wait for a command, so they must not block the others.
        waiters = ReentrantCallbackGroup()
        self._lockstep = (
            Lockstep(self, waiters, call_steps=call_steps, patience=patience) if lockstep else None
        )
        self._environment = make_environment(robot, start)
        self._spec = self._environment.spec
        self._time = ClockSource(
            self, self._spec.ctrl_dt, publish=publish_clock, lockstep=lockstep
        )
        instance.wait()
        self._time.start()
        self._reported = SimReport(self, self._spec, factor)
        self._paused = False
        self._episode = -1
        self._command = np.zeros(self._spec.act_dim)
        self._stepping = False
        self._refused_commands = 0
        self._description = DescriptionPublisher(self, self._environment)
        self._state = StatePublisher(self, self._spec, self._environment.robot_state())
        self.create_subscription(Float64MultiArray, "commands", self._on_command, STREAM)
        self.create_service(Trigger, "~/reset", self._on_reset, callback_group=waiters)
        self.create_service(Trigger, "~/step", self._on_step, callback_group=waiters)
        self.create_service(SetBool, "~/pause", self._on_pause)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._report, clock=wall)
        self._reset()
        if self._lockstep is not None:
            self.create_timer(_REPEAT_SECONDS, self._repeat_state, clock=wall)
        else:
            self.create_timer(self._spec.ctrl_dt / factor, self._tick, clock=wall)
        mode = "lock-step" if lockstep else f"real-time factor {factor:g}"
        self.get_logger().info(f"{self._spec.name} is up, {mode}, seed {self._seed}")

    def _on_ros_time(self) -> bool:
        return bool(self.get_parameter("use_sim_time").value)

    def _label(self) -> str:
        """Label of the present state; the command that answers it carries the same label."""
        return str(self._time.nanoseconds)

    def _reset(self) -> None:
        self._episode += 1
        self._environment.reset(episode_rng(self._seed, self._episode))
        # The servos hold their present positions.
        self._command = self._spec.held_command(self._environment.robot_state())
        self._begin_state()

    def _advance(self) -> None:
        self._environment.step(self._command)
        self._begin_state()

    def _begin_state(self) -> None:
        self._time.advance()
        if self._lockstep is not None:
            self._lockstep.new_state()
        self._publish_state()

    def _repeat_state(self) -> None:
        assert self._lockstep is not None
        # By the wall clock an unanswered state grows too old to be acted on.
        if self._time.on_wall_clock and not (self._lockstep.answered or self._time.due_in()):
            self._time.advance()
        self._publish_state()

    def _publish_state(self) -> None:
        # The clock is published first, so that its readers are not behind the messages that
        # follow.
        self._time.publish()
        self._description.publish(self._time.stamp)
        self._state.publish(self._environment.robot_state(), self._time.stamp, self._label())

    def _tick(self) -> None:
        # The timer skips the periods that a busy machine missed: making up for them would let
        # the robot move faster than its controller expects.
        if not self._paused:
            self._reported.rate.count()
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
        label = label_of(message)
        if self._lockstep is not None and label not in ("", self._label()):
            return  # The command answers an observation of an earlier state.
        # A real drive saturates too.
        self._command = np.clip(command, self._spec.action_low, self._spec.action_high)
        if self._lockstep is not None:
            self._lockstep.answer(labelled=bool(label))

    async def _on_reset(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._stepping:
            response.success, response.message = False, "a step is under way; call reset after it"
            return response
        self._reset()
        response.success = True
        response.message = json.dumps(
            {"episode": self._episode, "seed": self._seed, "time": self._time.nanoseconds * 1e-9}
        )
        if self._lockstep is not None:
            # As in a step: the next prompt must not race with the answer to this state.
            await self._lockstep.settle()
        return response

    def _on_pause(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._paused = bool(request.data)
        self._reported.rate.rate(time.monotonic())
        response.success = True
        response.message = "paused" if self._paused else "running"
        return response

    async def _on_step(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        if self._stepping:
            response.success, response.message = False, "a step is under way; call one at a time"
        elif self._lockstep is not None:
            self._stepping = True
            try:
                response.success = await self._lockstep.step(self._advance, self._time.due_in)
            finally:
                self._stepping = False
            response.message = (
                f"no command within {self._lockstep.patience:g} s of the observation; is "
                "policy_node running, and has it a z?"
            )
        elif self._paused:
            self._advance()
            response.success = True
        else:
            response.success, response.message = False, "not paused; call pause first"
        if response.success:
            response.message = json.dumps({"time": self._time.nanoseconds * 1e-9})
        return response

    def _report(self) -> None:
        paced = not self._paused and self._lockstep is None
        mode = "running" if self._lockstep is None else "lock-step"
        self._reported.publish(
            "paused" if self._paused else mode,
            self._time.time,
            paced=paced,
            episode=self._episode,
            seed=self._seed,
            refused_commands=self._refused_commands,
        )


def main() -> int:
    """Entry point of the process."""
    return run_node("sim_node", SimNode)


if __name__ == "__main__":
    sys.exit(main())
