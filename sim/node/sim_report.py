"""What a simulation says of itself every second."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from rclpy.time import Time

from fb_ros.nodes.messages import OK, WARN, to_diagnostics, to_status
from fb_ros.nodes.qos import EVENTS
from fb_ros.robot.robot_spec import RobotSpec
from sim.node.rate_meter import RateMeter


class SimReport:
    """Publishes on `/diagnostics`, and warns where the machine cannot keep up."""

    def __init__(self, node: Node, spec: RobotSpec, factor: float) -> None:
        """`factor` is the real-time factor that was asked for."""
        self._node, self._spec, self._factor = node, spec, factor
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        self.rate = RateMeter()
        """Counts the steps of a simulation that is paced by the wall clock."""

    def publish(self, mode: str, stamp: Time, *, paced: bool, **values: object) -> None:
        """Publishes `mode` and `values`; `paced` says whether the wall clock sets the pace."""
        rate = self.rate.rate(time.monotonic())
        factor = rate * self._spec.ctrl_dt if rate is not None and paced else None
        late = factor is not None and factor < 0.9 * self._factor
        if late:
            self._node.get_logger().warning(
                f"real-time factor {factor:.2f}, asked for {self._factor:g}: the machine is "
                "too slow or too busy",
                throttle_duration_sec=10.0,
            )
        told = {"real_time_factor": "" if factor is None else f"{factor:.3f}", **values}
        name = f"{self._node.get_fully_qualified_name()}: simulation"
        status = to_status(WARN if late else OK, name, mode, told, self._spec.name)
        self._publisher.publish(to_diagnostics(status, stamp))
