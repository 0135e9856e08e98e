"""A browser, and a robot with its page, for the tests that look at it as people do."""

from __future__ import annotations

import dataclasses
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import PoseStamped

from fb_ros.bundle.bundle import load_bundle
from fb_ros.nodes.messages import stamp_of
from fb_ros.nodes.qos import STREAM
from sim.client.robot_client import RobotClient
from sim.client.running_robot import robot_up

# A machine without a GPU draws three dimensions on the CPU, and a busy one takes its time.
PATIENCE_MS = 240_000
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Software rendering, and nothing that talks to anybody but the page.
_FLAGS = (
    *("--headless", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--no-first-run", "--disable-quic"),
)
VIEWPORT = {"width": 1400, "height": 800}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Seen:
    """A page in the browser, and the robot behind it."""

    client: RobotClient
    """A program beside the page."""
    page: Any
    """Playwright's."""
    port: int
    poses: list[PoseStamped]
    """Where the hand is, the newest last; what comes while nobody listens is left out."""
    requests: list[str]
    """Addresses that the page asked for."""
    errors: list[str]
    """What went wrong in the page."""

    def says(self, role: str, text: str | re.Pattern[str]) -> None:
        """Waits until the part of the page called `role` says the `text`."""
        part = self.page.locator(f'[data-role="{role}"]')
        part.filter(has_text=text).first.wait_for(timeout=PATIENCE_MS)

    def hand(self) -> tuple[float, np.ndarray]:
        """The time, s, and where the hand is now, m."""
        self.poses.clear()
        self.client.wait_for(lambda: bool(self.poses), "the hand")
        point = self.poses[-1].pose.position
        return stamp_of(self.poses[-1]) * 1e-9, np.array([point.x, point.y, point.z])

    def let_pass(self, seconds: float) -> None:
        """Waits for so much of the robot's time."""
        start = self.hand()[0]
        self.client.wait_for(lambda: self.hand()[0] > start + seconds, f"{seconds:g} s")

    def click(self, button: str) -> None:
        """Clicks the button with this label."""
        self.page.get_by_role("button", name=button, exact=True).click(timeout=PATIENCE_MS)


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The machine's Chromium, driven by Playwright."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        pytest.skip(f"there is no browser here ({', '.join(_BROWSERS)}): apt install chromium")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=path, args=list(_FLAGS), timeout=PATIENCE_MS
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def seen(browser: Any, root: Path) -> Iterator[Seen]:
    """The arm in real time with its page, as `web:=true` starts it, in a browser."""
    port = free_port()
    rclpy.init()
    try:
        bundle = root / "models" / "jaco_hand"
        frame = load_bundle(bundle).robot.frame
        client = RobotClient("jaco", frame=frame, patience=PATIENCE_MS / 1e3)
        options = {"bundle": str(bundle), "web": "true", "web_port": str(port)}
        with robot_up("jaco", options, client):
            client.wait_for(lambda: _listens(port), "the page")
            page = browser.new_page(viewport=VIEWPORT)
            poses: list[PoseStamped] = []
            client.create_subscription(PoseStamped, "tcp_pose", poses.append, STREAM)
            requests: list[str] = []
            errors: list[str] = []
            page.on("request", lambda request: requests.append(request.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.set_default_timeout(PATIENCE_MS)
            page.goto(f"http://127.0.0.1:{port}", timeout=PATIENCE_MS)
            yield Seen(
                client=client, page=page, port=port, poses=poses, requests=requests, errors=errors
            )
            page.close()
    finally:
        rclpy.try_shutdown()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
