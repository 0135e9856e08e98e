"""The page in a real browser, as a person uses it. The tests follow one another on one page."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from PIL import Image
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import values_of
from fb_ros.nodes.qos import LATCHED
from fb_ros.prompts.prompt import GoalPoint
from fb_ros.prompts.prompt_text import parse_prompt
from sim.bench.headless_browser import HeadlessBrowser
from sim.robots.registry import make_environment
from sim.web.robot_view import first_view
from test.sim.web.conftest import PATIENCE_MS, Seen

# How far a hand may be from where it was sent, m.
_THERE = 0.06


def answers_on(seen: Seen, topic: str) -> list[DiagnosticStatus]:
    """Answers to prompts of one topic from now on."""
    answers: list[DiagnosticStatus] = []

    def keep(status: DiagnosticStatus) -> None:
        if values_of(status).get("prompt") == topic:
            answers.append(status)

    seen.client.create_subscription(DiagnosticStatus, "prompt/status", keep, LATCHED)
    return answers


def type_formula(seen: Seen, formula: str) -> None:
    """Types into the first field that is one, and presses Enter."""
    field = seen.page.locator("form input").first
    field.fill(formula)
    field.press("Enter")


def pixel_of(seen: Seen, point: np.ndarray) -> tuple[float, float]:
    """Where in the window a point of the world, m, is drawn at first."""
    environment = make_environment("jaco")
    camera, at = first_view(environment)
    forward = (at - camera) / np.linalg.norm(at - camera)
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    box = seen.page.locator("canvas").first.bounding_box()
    away = point - camera
    # three.js's cameras see 75 degrees from top to bottom.
    scale = 0.5 * box["height"] / np.tan(np.deg2rad(37.5)) / (away @ forward)
    x = box["x"] + 0.5 * box["width"] + scale * (away @ right)
    y = box["y"] + 0.5 * box["height"] - scale * (away @ up)
    return float(x), float(y)


def photograph(seen: Seen) -> Image.Image:
    """The window as it looks now."""
    return Image.open(io.BytesIO(seen.page.screenshot(timeout=PATIENCE_MS)))


def test_the_page_shows_the_robot_and_its_state_and_asks_nobody_else(seen: Seen) -> None:
    # Whatever policy_node says of itself before it has a z, on a machine that may be busy.
    seen.says("state", re.compile("waiting|standing|moving"))
    seen.page.locator("canvas").first.wait_for()
    seen.says("features", "finger_opening")
    assert seen.page.locator(".uplot").count() >= 1
    hosts = {urlsplit(url).netloc for url in seen.requests if url.startswith("http")}
    assert hosts == {f"127.0.0.1:{seen.port}"}
    assert not seen.errors


def test_a_drag_reaches_the_arm(seen: Seen) -> None:
    answers, zs = answers_on(seen, "goal_point"), list[Float64MultiArray]()
    seen.client.create_subscription(Float64MultiArray, "z", zs.append, LATCHED)
    robot = make_environment("jaco").spec
    middle = 0.5 * np.add(robot.goal_low, robot.goal_high)
    up = np.array([0.0, 0.0, 1.0])
    # By the arrow that points up, between its middle and its tip.
    for step in np.linspace(0.085, 0.185, 6):
        seen.page.mouse.move(*pixel_of(seen, middle + step * up))
        if step == 0.085:
            seen.page.mouse.down()
    seen.page.mouse.up()
    seen.client.wait_for(lambda: bool(answers), "an answer to the drag")
    seen.says("goal_point", "accepted")

    def goal() -> np.ndarray:
        prompt = parse_prompt(values_of(answers[-1])["text"])
        assert isinstance(prompt, GoalPoint)
        return np.array(prompt.point)

    def arrived() -> bool:
        return bool(np.linalg.norm(seen.hand()[1] - goal()) < _THERE)

    seen.client.wait_for(arrived, "the hand at the dragged point")
    assert goal()[2] > middle[2] + 0.03, "it was not dragged up"
    np.testing.assert_allclose(goal()[:2], middle[:2], atol=0.01)
    seen.client.wait_for(lambda: bool(zs), "z")


def test_a_formula_is_typed_answered_and_carried_out(seen: Seen) -> None:
    type_formula(seen, "tcp_pos[2] > 0.3")
    seen.says("reward", "accepted")
    seen.says("reward", "reward expected")
    seen.client.wait_for(lambda: seen.hand()[1][2] > 0.3, "the hand above 0.3 m")


def test_a_wrong_formula_is_refused_with_its_character_and_changes_nothing(seen: Seen) -> None:
    before = seen.client.policy_figures()["z"]
    type_formula(seen, "exp(-norm(tcp_poz))")
    seen.says("reward", "did you mean tcp_pos?")
    pointed = seen.page.locator('[data-role="reward"] [data-role="place"]')
    assert pointed.inner_text() == "t"
    assert seen.client.policy_figures()["z"] == before


def test_what_is_typed_is_shown_as_text_and_never_as_markup(seen: Seen) -> None:
    type_formula(seen, "<img src=x onerror=\"document.title='owned'\">")
    seen.says("reward", "refused")
    assert seen.page.locator('[data-role="reward"] img').count() == 0
    assert "owned" not in seen.page.title()


def test_an_example_is_tried_with_a_click(seen: Seen) -> None:
    seen.click("try this example")
    seen.says("example", "accepted")


def test_the_emergency_stop_stops_until_resume(seen: Seen) -> None:
    seen.click("EMERGENCY STOP")
    seen.says("state", "standing still: emergency stop")
    seen.client.wait_for(lambda: "emergency" in seen.client.policy_state(), "the stop")
    there = seen.hand()[1]
    seen.let_pass(1.0)
    assert np.linalg.norm(seen.hand()[1] - there) < 0.02, "it moved on"
    seen.click("resume")
    seen.says("state", "moving")


def test_a_simulation_is_paused_and_goes_on(seen: Seen) -> None:
    seen.click("pause")
    seen.says("order", "paused")
    seen.click("go on")
    seen.says("order", "running")


def test_the_picture_shows_robot_goal_and_plots(seen: Seen, tmp_path: Path) -> None:
    """FB_ROS_PICTURE=docs/web.png keeps it, for the README."""
    type_formula(seen, "exp(-30*norm(tcp_pos - [0.1, 0.1, 0.2])) * (finger_opening < 0.3)")
    seen.says("reward", "accepted")
    seen.let_pass(15.0)
    for close in seen.page.locator(".mantine-Notification-closeButton").all():
        close.click()
    picture = photograph(seen)
    box: dict[str, Any] = seen.page.locator("canvas").first.bounding_box()
    view = picture.crop((int(box["x"]) + 10, 300, int(box["x"] + box["width"]) - 10, 770))
    pixels = np.asarray(view.convert("RGB"), dtype=int)
    red, green, blue = np.moveaxis(pixels, -1, 0)
    assert np.sum((red > 150) & (green < 90) & (blue < 90)) > 30, "no goal"
    assert np.sum(np.max(pixels, axis=-1) < 110) > 300, "no robot"
    assert np.sum((blue > red + 40) & (blue > green + 20)) > 100, "no ghost"
    target = Path(os.environ.get("FB_ROS_PICTURE", tmp_path / "web.png"))
    picture.convert("RGB").quantize(160).save(target, optimize=True)
    assert not seen.errors


def test_a_robot_that_moves_is_drawn_as_it_moves(seen: Seen) -> None:
    with HeadlessBrowser(seen.port) as browser:
        # Those of the first second are the scene, as every browser gets it.
        browser.poses(1.0)
        drawn = 0
        for goal in ((-0.1, 0.1, 0.3), (0.1, -0.1, 0.2)) * 10:
            browser.drag([goal])
            drawn += browser.poses(2.0)
            if drawn > 20:
                break
        assert drawn > 20
