"""Prompts to try on the arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.tasks.prompt_example import PromptExample, Seen, mostly


def _distance(seen: Seen, point: Sequence[float]) -> float:
    return float(np.linalg.norm(seen["tcp_pos"] - point, axis=1).mean())


def _folded_at(seen: Seen, point: Sequence[float]) -> bool:
    return _distance(seen, point) < 0.06 and mostly(seen["finger_opening"][:, 0] < 0.4)


def _behind(seen: Seen, x: float) -> bool:
    return mostly(seen["tcp_pos"][:, 0] < x)


_CORNERS = ((0.15, 0.15, 0.1), (-0.15, 0.15, 0.1))

ARM_PROMPTS = (
    PromptExample(
        name="reach",
        text="reward(exp(-30 * norm(tcp_pos - [0.1, 0.1, 0.2])))",
        expected="the hand comes to the point and stays within 5 cm of it",
        judge=lambda seen: _distance(seen, (0.1, 0.1, 0.2)) < 0.05,
    ),
    PromptExample(
        name="keep high",
        text="reward(tcp_pos[2] > 0.3)",
        expected="the hand rises above 0.3 m and stays there",
        judge=lambda seen: mostly(seen["tcp_pos"][:, 2] > 0.3),
    ),
    PromptExample(
        name="anywhere but here",
        text="reward(norm(tcp_pos - [0, 0, 0.2]) > 0.15)",
        expected="the hand leaves the middle of the workspace for good",
        judge=lambda seen: mostly(
            np.linalg.norm(seen["tcp_pos"] - [0.0, 0.0, 0.2], axis=1) > 0.15
        ),
        after="goal_point(0, 0, 0.2)",
    ),
    PromptExample(
        name="far left and low",
        text="reward(tcp_pos[1] < -0.1 and tcp_pos[2] < 0.15)",
        expected="the hand goes to y below -0.1 m and sinks below 0.15 m",
        judge=lambda seen: mostly((seen["tcp_pos"][:, 1] < -0.1) & (seen["tcp_pos"][:, 2] < 0.15)),
    ),
    PromptExample(
        name="at a height",
        text="reward(tolerance(tcp_pos[2], bounds=(0.24, 0.26), margin=0.05))",
        expected="the hand settles between 20 and 30 cm above the table, wherever that is",
        judge=lambda seen: mostly(np.abs(seen["tcp_pos"][:, 2] - 0.25) < 0.05),
    ),
    PromptExample(
        name="back off",
        text="reward(tcp_pos[0] < -0.15)",
        expected="the hand goes to x below -0.15 m and stays there",
        judge=lambda seen: _behind(seen, -0.15),
    ),
    PromptExample(
        name="point down at this corner",
        uncertain=True,
        text=(
            "reward(near = exp(-20 * norm(tcp_pos - [0.15, 0.15, 0.1])); near * (1 - tcp_axis[2]))"
        ),
        expected="the hand points down, within 37 degrees, and is within 7 cm of the corner",
        judge=lambda seen: (
            _distance(seen, (0.15, 0.15, 0.1)) < 0.07 and mostly(seen["tcp_axis"][:, 2] < -0.8)
        ),
    ),
    PromptExample(
        name="fold while reaching",
        text="reward(exp(-30*norm(tcp_pos - [0.1, -0.1, 0.2])) * (finger_opening < 0.3))",
        expected="the hand comes within 6 cm of the point, its fingers open by 0.4 at most",
        judge=lambda seen: _folded_at(seen, (0.1, -0.1, 0.2)),
    ),
    PromptExample(
        name="open the hand",
        text="reward(finger_opening > 0.8)",
        expected="the fingers open to 0.7 or more, wherever the hand is",
        judge=lambda seen: mostly(seen["finger_opening"][:, 0] > 0.7),
    ),
    PromptExample(
        name="a blend",
        text="goal_point(0.1, 0.1, 0.2) 0.5 + reward(finger_opening < 0.2) 0.5",
        expected="the hand comes within 6 cm of the point, its fingers open by 0.4 at most",
        judge=lambda seen: _folded_at(seen, (0.1, 0.1, 0.2)),
    ),
    PromptExample(
        name="either corner",
        uncertain=True,
        text=(
            "reward(a = exp(-30 * norm(tcp_pos - [0.15, 0.15, 0.1])); "
            "b = exp(-30 * norm(tcp_pos - [-0.15, 0.15, 0.1])); max(a, b))"
        ),
        expected="the hand comes within 7 cm of one of two points",
        judge=lambda seen: min(_distance(seen, corner) for corner in _CORNERS) < 0.07,
    ),
    PromptExample(
        name="as far back as it gets",
        text="reward(-tcp_pos[0])",
        expected="the hand goes to x below -0.15 m and stays there",
        judge=lambda seen: _behind(seen, -0.15),
    ),
    PromptExample(
        name="just behind a border",
        text="reward(tcp_pos[0] < -0.1)",
        expected="the hand goes to x below -0.1 m and stays there",
        judge=lambda seen: _behind(seen, -0.1),
    ),
)
