"""The source of a simulated robot's time, and whether it is the only one."""

from __future__ import annotations

from builtin_interfaces.msg import Time as TimeMessage
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.time import Time
from rosgraph_msgs.msg import Clock as ClockMessage

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim
from fb_ros.nodes.qos import STREAM

_TAKEN = (
    "/clock has a publisher already, of whom this simulation can live, too: start it with "
    "publish_clock:=false"
)


class ClockSource:
    """Time that continues across resets: this simulation's own, or the node's clock.

    The node's clock is the wall clock, or with `use_sim_time` the time published on `/clock`.
    """

    def __init__(
        self, node: Node, period: float, *, publish: bool, lockstep: bool = False
    ) -> None:
        """`period` is a control period (s). With `publish`, every state advances `/clock` by it;
        time has one source, so a second publisher of `/clock` is refused. In `lockstep`, states
        are at least a period apart on any clock, however fast the steps follow one another."""
        self._node, self._period = node, period
        # Each state has its own stamp, even while the node's clock stands still.
        self._least = round(period * 1e9) if lockstep else 1
        self._claim = Claim("/clock", refusal=_TAKEN) if publish else None
        self._publisher: Publisher | None = None
        self._ticks = 0
        self._nanoseconds = 0

    def require_only_one(self) -> None:
        """Refuses when another node publishes `/clock`, too."""
        own = int(self._publisher is not None)
        if self._claim is not None and self._node.count_publishers("/clock") > own:
            raise FbRosError(_TAKEN)

    def start(self) -> None:
        """Starts publishing `/clock`, if this simulation does so."""
        if self._claim is not None:
            self._publisher = self._node.create_publisher(ClockMessage, "/clock", STREAM)

    def advance(self) -> None:
        """Begins a new state."""
        self._ticks += 1
        if self._claim is not None:
            self._nanoseconds = round(self._ticks * self._period * 1e9)
        else:
            now = self._node.get_clock().now().nanoseconds
            self._nanoseconds = max(now, self._nanoseconds + self._least)

    def publish(self) -> None:
        """Publishes the present state's time, if this simulation publishes `/clock`."""
        if self._publisher is not None:
            self._publisher.publish(ClockMessage(clock=self.stamp))

    @property
    def on_wall_clock(self) -> bool:
        """Whether states are stamped by the wall clock."""
        return self._claim is None and not self._node.get_parameter("use_sim_time").value

    def due_in(self) -> float:
        """Seconds of wall time until the next state may begin: a stamp that lies ahead of the
        wall clock would be taken for one of another clock. 0 where states have a clock of their
        own."""
        if not self.on_wall_clock:
            return 0.0
        ahead = self._nanoseconds + self._least - self._node.get_clock().now().nanoseconds
        return float(max(ahead, 0)) * 1e-9

    @property
    def stamp(self) -> TimeMessage:
        """The time at which the present state began."""
        return self.time.to_msg()

    @property
    def time(self) -> Time:
        """The same time as an rclpy `Time`."""
        return Time(nanoseconds=self._nanoseconds, clock_type=ClockType.ROS_TIME)

    @property
    def nanoseconds(self) -> int:
        """The same time in nanoseconds."""
        return self._nanoseconds
