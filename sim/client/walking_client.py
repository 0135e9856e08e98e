"""The user's side of a walking robot: publishes velocities and watches where it goes."""

from __future__ import annotations

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import TwistStamped
from nav_msgs.msg import Odometry
from rclpy.qos import QoSProfile

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import stamp_of
from fb_ros.nodes.qos import PROMPT
from fb_ros.prompts.prompt import Velocity
from sim.client.robot_client import RobotClient
from sim.tasks.square import Whereabouts


class WalkingClient(RobotClient):
    """Blocking calls for a robot that takes velocities."""

    def __init__(self, namespace: str, *, frame: str, patience: float = 60.0) -> None:
        super().__init__(namespace, frame=frame, patience=patience)
        self._whereabouts: Whereabouts | None = None
        self._velocity = self.create_publisher(TwistStamped, "prompt/velocity", PROMPT)
        self.create_subscription(Odometry, "odom", self._on_odom, QoSProfile(depth=10))

    def publish_velocity(self, vx: float, vy: float, wz: float) -> DiagnosticStatus:
        """Asks for a velocity (m/s, rad/s) and returns the answer of `task_inference_node`."""
        self.wait_for(
            lambda: self._velocity.get_subscription_count() > 0, "a listener to velocities"
        )
        message = TwistStamped()
        twist = message.twist
        twist.linear.x, twist.linear.y, twist.angular.z = vx, vy, wz
        asked = Velocity(linear=(vx, vy, 0.0), angular=(0.0, 0.0, wz))
        return self.ask(lambda: self._velocity.publish(message), asked.text)

    def ask_velocity(self, vx: float, vy: float, wz: float) -> None:
        """Asks for a velocity (m/s, rad/s); raises what `task_inference_node` refuses it with."""
        status = self.publish_velocity(vx, vy, wz)
        if status.level == DiagnosticStatus.ERROR:
            raise FbRosError(status.message)

    def whereabouts(self) -> Whereabouts:
        """The newest odometry."""
        self.wait_for(lambda: self._whereabouts is not None, "odometry")
        assert self._whereabouts is not None
        return self._whereabouts

    def wait_until(self, seconds: float) -> Whereabouts:
        """The first odometry at or after `seconds` of the robot's clock; in lock-step it makes the
        steps until then."""
        while self.lockstep and self.whereabouts().seconds < seconds - 1e-6:
            self._wait_for_odometry(self.step()["time"] - 1e-6)
            self.alive()
        self._wait_for_odometry(seconds - 1e-6)
        return self.whereabouts()

    def _wait_for_odometry(self, seconds: float) -> None:
        self.wait_for(lambda: self.whereabouts().seconds >= seconds, "odometry")

    def _on_odom(self, message: Odometry) -> None:
        turn, place = message.pose.pose.orientation, message.pose.pose.position
        self._whereabouts = Whereabouts.of(
            stamp_of(message) * 1e-9,
            np.array([place.x, place.y, place.z]),
            np.array([turn.w, turn.x, turn.y, turn.z]),
        )
