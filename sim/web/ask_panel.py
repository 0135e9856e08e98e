"""The fields for prompts, with the answer below each field."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from fb_ros.bundle.bundle import Bundle
from fb_ros.prompts.skills import SkillLibrary
from sim.tasks.prompt_example import PromptExample
from sim.web import wording
from sim.web.page import Page
from sim.web.prompts_out import PromptsOut
from sim.web.stream import Stream

# Rate of a stream of points or velocities, in messages per second: an arm's control rate.
_RATE = 20.0
_NONE = "(none)"
# Longest arrow of the goal, m.
_LONGEST_ARROW = 0.5
_FIRST = "type a formula, then Enter"


class AskPanel:
    """The fields of the main panel, for the prompts that this model takes."""

    def __init__(
        self,
        page: Page,
        bundle: Bundle,
        out: PromptsOut,
        skills: SkillLibrary,
        examples: tuple[PromptExample, ...],
    ) -> None:
        self._page, self._bundle, self._out, self._skills = page, bundle, out, skills
        self._examples = {example.name: example for example in examples}
        self._answers: dict[str, object] = {}
        self._streams: list[Stream[tuple[float, ...]]] = []
        self._formula_sent = self._example_sent = ""
        robot = bundle.robot
        if robot.goal_feature in bundle.encoder_features:
            self._add_goal()
        self._add_formula()
        if self._examples:
            self._add_examples()
        if robot.velocity_features and set(robot.velocity_features) <= set(
            bundle.encoder_features
        ):
            self._add_velocity()
        self._add_feedback()
        self._add_skills()

    def tick(self) -> None:
        """Passes on values that were dragged too fast; called a few times per period of the
        streams."""
        for stream in self._streams:
            stream.tick(time.monotonic())

    def show(self, topic: str, colour: str, message: str, values: Mapping[str, str]) -> None:
        """Shows an answer of `prompt/status` under the field whose prompt went to `topic`."""
        text = values.get("text", "")
        if topic == "skill" and text and text == self._example_sent[: len(text)]:
            topic = "example"
        field = self._answers.get(topic, self._answers["skill"])
        content = wording.answer(topic, colour, message, values, self._asked(topic, text))
        field.content = content  # type: ignore[attr-defined]
        if topic == "skill":
            self.refresh_skills()

    def _asked(self, topic: str, text: str) -> str:
        """The formula in which an answer counts characters."""
        if topic == "reward" and f"reward({self._formula_sent})".startswith(text):
            return self._formula_sent
        inner = text.removeprefix("reward(")
        return inner.removesuffix(")") if inner != text else ""

    def _answer_field(self, topic: str) -> None:
        self._answers[topic] = self._page.html("")

    # A point.

    def _add_goal(self) -> None:
        robot = self._bundle.robot
        low, high = robot.goal_low, robot.goal_high
        middle = [0.5 * (a + b) for a, b in zip(low, high, strict=True)]
        unit = robot.feature(robot.goal_feature).unit
        self._points: Stream[tuple[float, ...]] = Stream(self._out.point, 1.0 / _RATE)
        self._streams.append(self._points)
        with self._page.folder(f"Bring {robot.goal_feature} to a point"):
            self._point = self._page.vector(f"point ({unit})", _rounded(middle), self._typed_point)
            self._page.html(wording.note(f"or drag the red ball; frame {robot.frame}"))
            self._answer_field("goal_point")
        size = min(0.3 * max(b - a for a, b in zip(low, high, strict=True)), _LONGEST_ARROW)
        x, y, z = (a < b for a, b in zip(low, high, strict=True))
        self._goal = self._page.add_goal(size, middle, (x, y, z), self._dragged)

    def _typed_point(self) -> None:
        self._goal.position = self._point.value
        self._points.add(self._point.value, time.monotonic(), final=True)

    def _dragged(self, point: tuple[float, float, float], over: bool) -> None:
        self._points.add(point, time.monotonic(), final=over)
        if over:
            self._point.value = _rounded(point)

    def show_point(self, point: tuple[float, ...]) -> None:
        """Puts the goal where somebody else's prompt puts it."""
        if hasattr(self, "_goal") and len(point) == 3:
            self._goal.position = point
            self._point.value = _rounded(point)

    # A formula.

    def _add_formula(self) -> None:
        with self._page.folder("Reward formula"):
            self._formula = self._page.text("formula", "", self._send_formula, hint=_FIRST)
            names = self._bundle.encoder_features
            self._page.buttons("insert", {name: self._inserting(name) for name in names})
            self._page.button("ask for this reward", self._send_formula)
            self._answer_field("reward")
            self._page.html(wording.feature_table(self._bundle))

    def _inserting(self, name: str):  # type: ignore[no-untyped-def]
        def insert() -> None:
            self._formula.value = self._formula.value + name

        return insert

    def _send_formula(self) -> None:
        self._formula_sent = self._formula.value
        self._out.reward(self._formula_sent)

    # Examples.

    def _add_examples(self) -> None:
        with self._page.folder("Examples"):
            self._example = self._page.choice("example", list(self._examples), self._tell_example)
            self._told = self._page.html("")
            self._page.button("try this example", self._send_example)
            self._answer_field("example")
        self._tell_example()

    def _tell_example(self) -> None:
        example = self._examples[self._example.value]
        self._told.content = wording.note(f"{example.text}: {example.expected}")

    def _send_example(self) -> None:
        self._example_sent = self._examples[self._example.value].text
        self._out.line(self._example_sent)

    # A velocity.

    def _add_velocity(self) -> None:
        robot = self._bundle.robot
        self._velocities: Stream[tuple[float, ...]] = Stream(self._send_velocity, 1.0 / _RATE)
        self._streams.append(self._velocities)
        self._sizes = [robot.feature(name).size for name in robot.velocity_features]
        with self._page.folder("Move at a velocity"):
            self._sliders = [
                self._page.slider(f"{name} {unit}", min(low, 0.0), max(high, 0.0), self._slid)
                for name, unit, low, high in wording.feature_ranges(
                    self._bundle, robot.velocity_features
                )
            ]
            self._page.button("velocity zero", self._stand)
            self._answer_field("velocity")

    def _slid(self) -> None:
        values = tuple(float(slider.value) for slider in self._sliders)
        self._velocities.add(values, time.monotonic())

    def _stand(self) -> None:
        for slider in self._sliders:
            slider.value = 0.0
        self._slid()

    def _send_velocity(self, values: tuple[float, ...]) -> None:
        first = self._sizes[0]
        parts = [[*values[:first], 0.0, 0.0, 0.0][:3], [*values[first:], 0.0, 0.0, 0.0][:3]]
        self._out.velocity(*parts)

    # Good and bad.

    def _add_feedback(self) -> None:
        with self._page.folder("As it is now, this is"):
            self._page.buttons(
                "",
                {"good": lambda: self._out.value(1.0), "bad": lambda: self._out.value(-1.0)},
                hint="counts for the state that the robot is in at this moment",
            )
            self._answer_field("reward_value")

    # Skills.

    def _add_skills(self) -> None:
        with self._page.folder("Skills and other prompts"):
            self._line = self._page.text(
                "prompt", "", self._send_line, hint="a skill's name, goal_point(…), a blend, …"
            )
            self._saved = self._page.choice("saved", (_NONE,))
            self._page.buttons(
                "",
                {
                    "do it": lambda: self._with_skill("{}"),
                    "delete": lambda: self._with_skill("delete {}"),
                    "encode anew": lambda: self._with_skill("anew {}"),
                },
            )
            self._name = self._page.text("save as", "", self._save, hint="keeps what it does now")
            self._page.button("save what it does now", self._save)
            self._answer_field("skill")
        self.refresh_skills()

    def _send_line(self) -> None:
        self._example_sent = ""
        self._out.line(self._line.value)

    def _with_skill(self, line: str) -> None:
        if self._saved.value != _NONE:
            self._example_sent = ""
            self._out.line(line.format(self._saved.value))

    def _save(self) -> None:
        self._example_sent = ""
        self._out.line(f"save {self._name.value}")

    def refresh_skills(self) -> None:
        """Offers the skills that are now in the folder."""
        names = tuple(self._skills.names()) or (_NONE,)
        if names != tuple(self._saved.options):
            self._saved.options = names


def _rounded(point: Sequence[float]) -> tuple[float, ...]:
    """The point rounded to millimetres, which is enough in a field."""
    return tuple(round(float(value), 3) for value in point)
