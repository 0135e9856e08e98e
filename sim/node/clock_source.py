"""Where a simulated robot's time comes from, and who else lives by it."""

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
    """Time that goes on across resets: this simulation's own, or the node's clock.

    The node's clock is the wall's, or with `use_sim_time` that of whoever publishes `/clock`.
    """

    def __init__(self, node: Node, period: float, *, publish: bool) -> None:
        """`period` is a control period (s). With `publish` every state advances `/clock` by it;
        time has one source, so a second one is refused."""
        self._node, self._period = node, period
        self._claim = Claim("/clock", refusal=_TAKEN) if publish else None
        self._publisher: Publisher | None = None
        self._ticks = 0
        self._nanoseconds = 0

    def require_only_one(self) -> None:
        """Refuses when somebody else on the network publishes `/clock`, too."""
        own = int(self._publisher is not None)
        if self._claim is not None and self._node.count_publishers("/clock") > own:
            raise FbRosError(_TAKEN)

    def start(self) -> None:
        """From now on it is published, if that is this simulation's to do."""
        if self._claim is not None:
            self._publisher = self._node.create_publisher(ClockMessage, "/clock", STREAM)

    def advance(self) -> None:
        """A new state begins."""
        self._ticks += 1
        if self._claim is not None:
            self._nanoseconds = round(self._ticks * self._period * 1e9)
        else:
            # Each state has a stamp of its own, also while the clock that it is read from stands.
            now = self._node.get_clock().now().nanoseconds
            self._nanoseconds = max(now, self._nanoseconds + 1)

    def publish(self) -> None:
        """Publishes the present state's time, if that is this simulation's to do."""
        if self._publisher is not None:
            self._publisher.publish(ClockMessage(clock=self.stamp))

    @property
    def stamp(self) -> TimeMessage:
        """When the present state began."""
        return self.time.to_msg()

    @property
    def time(self) -> Time:
        """The same, as rclpy has it."""
        return Time(nanoseconds=self._nanoseconds, clock_type=ClockType.ROS_TIME)

    @property
    def nanoseconds(self) -> int:
        """The same as a number."""
        return self._nanoseconds
