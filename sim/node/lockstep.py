"""Lock-step: a simulation that waits for the command that answers its last observation."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from fb_ros.errors import FbRosError


class Lockstep:
    """Steps on commands only, so that a trajectory depends on the seed and the prompts only."""

    def __init__(
        self, node: Node, group: CallbackGroup, *, call_steps: int, patience: float
    ) -> None:
        """`call_steps` control periods are one call of the step service, of which each waits
        `patience` seconds of the wall clock for its command."""
        if call_steps < 1:
            raise FbRosError(f"lockstep_steps is {call_steps}, expected at least 1")
        if patience <= 0.0:
            raise FbRosError(f"lockstep_timeout is {patience}, expected above 0")
        self._node, self._group = node, group
        self._call_steps, self.patience = call_steps, patience
        self._answered = False
        """Whether the command that answers the present state has come."""
        self._answered_once = False
        self._waiting: Future | None = None

    def new_state(self) -> None:
        """There is a state that nobody has answered yet."""
        self._answered = False

    def answer(self) -> None:
        """The command that answers the present state has come."""
        self._answered = self._answered_once = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    async def step(self, advance: Callable[[], None]) -> bool:
        """Makes one call's steps, each on the command that answers the state before it.

        False when a command did not come in time.
        """
        for _ in range(self._call_steps):
            if not await self._command():
                return False
            advance()
        # The answer to the last observation belongs to this call: the next prompt must not race
        # with it.
        return await self._command()

    async def settle(self) -> None:
        """Waits for the answer to a state that no step led to, if anybody answers at all."""
        if self._answered_once:
            await self._command()

    async def _command(self) -> bool:
        """Waits for the command that answers the present state; false when none came."""
        if self._answered:
            return True
        answered = self._waiting = Future(executor=self._node.executor)

        def give_up() -> None:
            if not answered.done():
                answered.set_result(False)

        wall = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self._node.create_timer(self.patience, give_up, self._group, clock=wall)
        try:
            return bool(await answered)
        finally:
            self._waiting = None
            self._node.destroy_timer(timer)
