"""One node of a name in a namespace: the second one is refused, and touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim

# How long another node of this name has to show itself before this one believes to be alone.
_DISCOVERY_SECONDS = 1.0
# How long after its start it still gives way to one that was there before and shows itself late.
_YOUNG_SECONDS = 15.0


class SingleInstance:
    """Refuses to be the second node of its name: two drivers of one robot would both be obeyed.

    On this machine that is certain and immediate; on others it goes by discovery, which takes
    its time on a busy machine or network. So the one that came last gives way for a while.
    """

    def __init__(self, node: Node, *, alone: Callable[[], None] = lambda: None) -> None:
        """`alone` may refuse for more reasons of the same kind; called as long as the node is
        young."""
        self._node, self._also = node, alone
        self._since = time.monotonic()
        name, namespace = node.get_name(), node.get_namespace()
        self._taken = (
            f"there is a {name} in namespace {namespace} already; stop it, or start this one in "
            "another namespace (-r __ns:=/other)"
        )
        self._claim = Claim(f"{name} {namespace}", refusal=self._taken)
        self._timer = node.create_timer(
            1.0, self._keep_giving_way, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def wait(self) -> None:
        """Returns when nobody else of this name has shown itself for long enough since the start.

        To be called before the node does anything that others would notice.
        """
        while time.monotonic() < self._since + _DISCOVERY_SECONDS:
            self._give_way()
            time.sleep(0.05)
        self._give_way()

    def _give_way(self) -> None:
        node = self._node
        name = (node.get_name(), node.get_namespace())
        if node.get_node_names_and_namespaces().count(name) > 1:
            raise FbRosError(self._taken)
        self._also()

    def _keep_giving_way(self) -> None:
        if time.monotonic() - self._since < _YOUNG_SECONDS:
            self._give_way()
        else:
            self._timer.cancel()
