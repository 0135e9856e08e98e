"""`web_node`: a page that shows a robot and passes on a person's prompts."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import ERROR, label_of, values_of
from fb_ros.nodes.parameters import declare_bundle, declare_text, declare_whole
from fb_ros.nodes.qos import EVENTS, LATCHED
from fb_ros.paths import skills_folder
from fb_ros.prompts.skills import SkillLibrary
from sim.robots.registry import make_environment, require_robot
from sim.tasks.prompt_examples import EXAMPLES
from sim.web import wording
from sim.web.ask_panel import AskPanel
from sim.web.asked import Asked, asked_by
from sim.web.gate import Gate
from sim.web.leading import Leading
from sim.web.live_state import LiveState
from sim.web.page import Page
from sim.web.plots_panel import PlotsPanel
from sim.web.prompts_out import PromptsOut
from sim.web.quiet_moments import QuietMoments
from sim.web.robot_view import RobotView
from sim.web.status_panel import COLOURS, StatusPanel

# The browser gets a state at most this often, and plots less often; a person sees no difference.
_DRAW_SECONDS, _LOOK_SECONDS, _PLOT_SECONDS = 1.0 / 30.0, 0.2, 0.5
# How often values are passed on that a person drags faster than the robot needs them.
_PASS_SECONDS = 1.0 / 30.0


class WebNode(Node):
    """Serves the page; it knows the robot only from the bundle and the registry."""

    def __init__(self) -> None:
        super().__init__("web_node")
        self._bundle = bundle = declare_bundle(self)
        host = declare_text(
            self,
            "host",
            "127.0.0.1",
            "address to listen on; one that others reach needs a token",
        )
        port = declare_whole(self, "port", 8080, "port to listen on")
        folder = declare_text(
            self, "skills", "", "folder of the saved skills; empty: the user's data folder"
        )
        robot = bundle.robot
        require_robot(robot.name)
        self._skills = SkillLibrary(Path(folder) if folder else skills_folder(robot.name))
        gate = Gate(host, os.environ.get("FB_ROS_WEB_TOKEN", ""))
        self._page = page = Page(host, port, f"{robot.name} · {bundle.path.name}", gate)
        out = PromptsOut(self, robot.frame)
        self._quiet = QuietMoments(robot.ctrl_dt)
        self._live = LiveState(self, robot, self._quiet.state_came)
        self._status = StatusPanel(page, out, bundle.model_id)
        self._plots = PlotsPanel(page, bundle)
        self.port = page.port
        self.examples = tuple(
            example
            for example in EXAMPLES.get(robot.name, ())
            if asked_by(example.text, bundle, self._skills) != Asked()
        )
        self._ask = AskPanel(page, bundle, out, self._skills, self.examples)
        self._view = RobotView(page, make_environment(robot.name), robot)
        self._leading = Leading(bundle)
        self._leading.start()
        self._asked = Asked()
        self._z: np.ndarray | None = None
        self._looked = time.monotonic()

        self.create_subscription(DiagnosticStatus, "prompt/status", self._on_answer, LATCHED)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, EVENTS)
        self.create_subscription(Float64MultiArray, "z", self._on_z, LATCHED)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self._quiet.add(_DRAW_SECONDS, self._draw)
        self._quiet.add(_LOOK_SECONDS, self._look)
        self._quiet.add(_PLOT_SECONDS, self._plots.draw)
        self._quiet.add(1.0, lambda: self._status.tick(self._live.silent()))
        self.create_timer(_PASS_SECONDS, self._ask.tick, clock=wall)
        self.create_timer(_PLOT_SECONDS, self._quiet.look_after, clock=wall)
        self._tell(host, port, gate)

    def _tell(self, host: str, port: int, gate: Gate) -> None:
        shown = f"[{host}]" if ":" in host else host
        log = self.get_logger()
        log.info(f"open http://{shown}:{port} in a browser")
        if gate.local:
            log.info("who uses this machine may move the robot by it, and nobody else")
        else:
            log.warning(
                f"who reaches {shown}:{port} and knows the token may move the robot; "
                f"the token is {gate.token}"
            )

    def destroy_node(self) -> None:
        """Ends the page, too."""
        self._leading.stop()
        self._page.stop()
        super().destroy_node()

    # Incoming messages.

    def _on_answer(self, status: DiagnosticStatus) -> None:
        values = values_of(status)
        colour = COLOURS.get(status.level, wording.GREY)
        self._ask.show(values.get("prompt", ""), colour, status.message, values)
        # A refusal, or a command that only saves a skill, leaves the present prompt in force.
        if status.level == ERROR or "z" not in values:
            return
        text = values.get("text", "")
        self._status.show_prompt(text)
        self._asked = asked_by(text, self._bundle, self._skills)
        self._plots.ask(self._asked, values)
        if self._asked.point is not None:
            self._ask.show_point(self._asked.point)

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        name = f"{self.get_namespace().rstrip('/')}/policy_node: policy"
        for status in message.status:
            if status.name == name:
                values = values_of(status)
                self._status.show_policy(status.level, status.message, values)
                self._plots.show_policy(time.monotonic(), values)

    def _on_z(self, message: Float64MultiArray) -> None:
        values = np.asarray(message.data, dtype=np.float32)
        if values.shape == (self._bundle.z_dim,) and label_of(message) == self._bundle.model_id:
            self._z = values

    # Display.

    def _draw(self) -> None:
        if self._page.clients:
            self._view.draw(self._live)

    def _look(self) -> None:
        now = time.monotonic()
        periods = (now - self._looked) / self._bundle.robot.ctrl_dt
        self._looked = now
        features, z = self._live.features(), self._z
        self._plots.add(now, periods, self._asked, self._leading, features, z)
        if z is not None and self._page.clients:
            self._view.lead(self._bundle, self._leading.state(z), self._live)
