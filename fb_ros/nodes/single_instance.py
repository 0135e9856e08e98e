"""One node per name and namespace: the second one is refused, and touches nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim

# Seconds that another node of this name has to appear before this one takes itself to be alone.
_DISCOVERY_SECONDS = 1.0
# Seconds after its start in which this node still gives way to an older one that appears late.
_YOUNG_SECONDS = 15.0
# How often in a row, a second apart, it must see the other node for that.
_LOOKS = 5


class SingleInstance:
    """Refuses to be the second node of its name: the robot would obey both.

    On this machine the check is certain and immediate. On others it uses discovery, which takes
    long on a busy machine or network, so the younger node gives way for a while.
    """

    def __init__(self, node: Node, *, alone: Callable[[], None] = lambda: None) -> None:
        """`alone` may refuse for more such reasons; it is called while the node is young."""
        self._node, self._also = node, alone
        self._since = time.monotonic()
        name, namespace = node.get_name(), node.get_namespace()
        self._taken = (
            f"there is a {name} in namespace {namespace} already; stop it, or start this one in "
            "another namespace (-r __ns:=/other)"
        )
        try:
            self._claim = Claim(f"{name} {namespace}", refusal=self._taken)
        except FbRosError:
            # The others must not see two of them for longer than necessary.
            node.destroy_node()
            raise
        self._waited = False
        self._seen_in_a_row = 0
        self._timer = node.create_timer(
            1.0, self._keep_giving_way, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def wait(self) -> None:
        """Returns when no other node of this name has appeared for long enough since the start.

        Call it before the node does anything that others would notice; later calls return at once.
        """
        if self._waited:
            return
        while time.monotonic() < self._since + _DISCOVERY_SECONDS:
            self._give_way()
            time.sleep(0.05)
        self._give_way()
        self._waited = True

    def _give_way(self) -> None:
        if self._is_second():
            raise FbRosError(self._taken)
        self._also()

    def _is_second(self) -> bool:
        node = self._node
        name = (node.get_name(), node.get_namespace())
        return bool(node.get_node_names_and_namespaces().count(name) > 1)

    def _keep_giving_way(self) -> None:
        if time.monotonic() - self._since > _YOUNG_SECONDS:
            self._timer.cancel()
            return
        # A node that the claim has refused on this machine also shows up, until it has left.
        self._seen_in_a_row = self._seen_in_a_row + 1 if self._is_second() else 0
        if self._seen_in_a_row >= _LOOKS:
            raise FbRosError(self._taken)
        self._also()
