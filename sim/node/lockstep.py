"""Lock-step: a simulation that waits for the command answering its last observation."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.task import Future

from fb_ros.errors import FbRosError


class Lockstep:
    """Steps only on commands, so that a trajectory depends only on the seed and the prompts."""

    def __init__(
        self, node: Node, group: CallbackGroup, *, call_steps: int, patience: float
    ) -> None:
        """One call of the step service makes `call_steps` control periods, each of which waits
        `patience` seconds of wall time for its command."""
        if call_steps < 1:
            raise FbRosError(f"lockstep_steps is {call_steps}, expected at least 1")
        if patience <= 0.0:
            raise FbRosError(f"lockstep_timeout is {patience}, expected above 0")
        self._node, self._group = node, group
        self._call_steps, self.patience = call_steps, patience
        self._answered = False
        self._answered_once = False
        self._waiting: Future | None = None

    def new_state(self) -> None:
        """Begins a state that no command has answered yet."""
        self._answered = False

    def answer(self, *, labelled: bool) -> None:
        """Notes that the command answering the present state has arrived.

        A command without a label is an order to stand still. A controller that starts sends some
        before it has a `z`; these answer nothing, or the first step would take whichever of them
        and of the first real command came first.
        """
        self._answered_once |= labelled
        if not self._answered_once:
            return
        self._answered = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(True)

    @property
    def answered(self) -> bool:
        """Whether the command that answers the present state has come."""
        return self._answered

    async def step(self, advance: Callable[[], None], due_in: Callable[[], float]) -> bool:
        """Makes one call's steps, each on the command that answers the state before it, and none
        before it is due: `due_in` gives the seconds of wall time that are left until then.

        Returns False when a command did not arrive in time.
        """
        for _ in range(self._call_steps):
            if not await self._command():
                return False
            await self._sleep(due_in())
            advance()
        # The answer to the last observation belongs to this call: the next prompt must not race
        # with it.
        return await self._command()

    async def settle(self) -> None:
        """Waits for the answer to a state that follows no step, if a controller answers at all."""
        if self._answered_once:
            await self._command()

    async def _command(self) -> bool:
        """Waits for the command that answers the present state; False if none arrived."""
        if self._answered:
            return True
        self._waiting = Future(executor=self._node.executor)
        try:
            return await self._within(self.patience, self._waiting)
        finally:
            self._waiting = None

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0.0:
            await self._within(seconds, Future(executor=self._node.executor))

    async def _within(self, seconds: float, future: Future) -> bool:
        """The result of `future`, or False after `seconds` of wall time."""

        def give_up() -> None:
            if not future.done():
                future.set_result(False)

        wall = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self._node.create_timer(seconds, give_up, self._group, clock=wall)
        try:
            return bool(await future)
        finally:
            self._node.destroy_timer(timer)
