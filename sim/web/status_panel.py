"""The panel that stays visible on scrolling: the robot's state, and the stop buttons."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fb_ros.nodes.messages import ERROR, OK, WARN
from sim.web import wording
from sim.web.page import Page
from sim.web.prompts_out import PromptsOut

COLOURS = {OK: wording.GREEN, WARN: wording.AMBER, ERROR: wording.RED}
# policy_node reports its state every second.
_SILENT_SECONDS = 3.0


class StatusPanel:
    """The robot's state in one coloured line, its stop buttons, and its simulation's controls."""

    def __init__(self, page: Page, out: PromptsOut, model_id: str) -> None:
        self._out, self._model_id = out, model_id
        self._heard = float("-inf")
        with page.panel("robot", 320.0, floating=True):
            self._state = page.html("")
            self._doing = page.html(wording.note("nothing was asked yet"))
            page.button("EMERGENCY STOP", self._estop, colour="red")
            page.buttons("", {"stop": self._policy("stop"), "resume": self._policy("resume")})
            self._simulation = page.buttons(
                "simulation",
                {
                    "pause": lambda: out.pause(True, self._answered),
                    "go on": lambda: out.pause(False, self._answered),
                    "step": lambda: out.simulation("step", self._answered),
                    "reset": lambda: out.simulation("reset", self._answered),
                },
            )
            self._answer = page.html("")
        self._simulation.visible = False
        self._say(wording.GREY, "nothing heard of policy_node yet")

    def show_policy(self, level: bytes, message: str, values: Mapping[str, str]) -> None:
        """Shows policy_node's report in `/diagnostics`."""
        self._heard = time.monotonic()
        other = values.get("model_id", self._model_id)
        if other != self._model_id:
            message = (
                f"{message}; it runs model {other[:12]}, this page shows {self._model_id[:12]}"
            )
            level = max(level, WARN)
        self._say(COLOURS.get(level, wording.GREY), message)

    def show_prompt(self, text: str) -> None:
        """Shows the prompt in force."""
        self._doing.content = wording.note(f"asked: {text}")

    def tick(self, silent: list[str]) -> None:
        """Runs once a second; `silent` are the robot's topics that have gone silent."""
        if time.monotonic() - self._heard > _SILENT_SECONDS:
            self._say(wording.GREY, "nothing is heard of policy_node; is it up?")
        elif silent:
            self._say(wording.AMBER, f"nothing new on {' and '.join(silent)}")
        if self._simulation.visible != self._out.simulated:
            self._simulation.visible = self._out.simulated

    def _say(self, colour: str, text: str) -> None:
        content = wording.state_line(colour, text)
        if self._state.content != content:
            self._state.content = content

    def _estop(self) -> None:
        self._out.estop()
        self._answered(True, "emergency stop published; resume ends it")

    def _policy(self, name: str):  # type: ignore[no-untyped-def]
        return lambda: self._out.policy(name, self._answered)

    def _answered(self, done: bool, text: str) -> None:
        colour = wording.GREEN if done else wording.RED
        self._answer.content = wording.answer("order", colour, text or "done", {})
