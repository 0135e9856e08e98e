"""`policy_node` with a policy that hangs, raises or returns NaN on request."""

from __future__ import annotations

import sys
import time

import numpy as np
from rclpy.experimental import EventsExecutor
from std_msgs.msg import String

from fb_ros.backends.graphs import Precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.nodes.policy_node import PolicyNode
from fb_ros.nodes.run import run_node


class FaultyPolicy(Policy):
    """A policy with a fault: `hang SECONDS`, `throw`, `nan`, or none."""

    def __init__(self, bundle: Bundle, backend: str, precision: Precision) -> None:
        super().__init__(bundle, backend, precision)
        self.fault = ""

    def command(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        word, _, amount = self.fault.partition(" ")
        if word == "hang":
            time.sleep(float(amount))
        elif word == "throw":
            raise RuntimeError("the device is gone")
        command = super().command(observation, z)
        return np.full_like(command, np.nan) if word == "nan" else command


class FaultyPolicyNode(PolicyNode):
    """A policy node that takes its fault from the topic `~/fault`."""

    def __init__(self) -> None:
        super().__init__(self._make)
        self.create_subscription(String, "~/fault", self._on_fault, 10)

    def _make(self, bundle: Bundle, backend: str, precision: Precision) -> Policy:
        self._faulty = FaultyPolicy(bundle, backend, precision)
        return self._faulty

    def _on_fault(self, message: String) -> None:
        # The fault starts at the next observation; the warm-up has already succeeded.
        self._faulty.fault = message.data


def main() -> int:
    """Entry point of the process."""
    return run_node("policy_node", FaultyPolicyNode, EventsExecutor)


if __name__ == "__main__":
    sys.exit(main())
