"""Who gets in, and what is left of those who are gone."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from fb_ros.errors import FbRosError
from sim.bench.headless_browser import HeadlessBrowser
from sim.web.gate import COOKIE, Gate
from sim.web.page import Page


@pytest.fixture
def page() -> Iterator[Page]:
    found = Page("127.0.0.1", 0, "title", Gate("127.0.0.1"))
    yield found
    found.stop()


def wait_for(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 60.0
    while not done():
        assert time.monotonic() < deadline, f"waited for {what}"
        threading.Event().wait(0.01)


def fetched(port: int, headers: dict[str, str]) -> tuple[int, http.client.HTTPMessage, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60.0)
    connection.request("GET", "/", headers=headers)
    response = connection.getresponse()
    return response.status, response.headers, response.read().decode(errors="replace")


def test_the_page_is_served_with_what_keeps_others_out(page: Page) -> None:
    status, headers, _ = fetched(page.port, {})
    assert status == 200
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert fetched(page.port, {"Host": "evil.example"})[0] == 403


def test_a_site_elsewhere_gets_no_connection(page: Page) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        connect(f"ws://127.0.0.1:{page.port}", origin="http://evil.example").close()  # type: ignore[arg-type]


def test_a_page_for_others_asks_for_its_token() -> None:
    gate = Gate("0.0.0.0", "secret")
    page = Page("127.0.0.1", 0, "title", gate)
    try:
        status, _, body = fetched(page.port, {})
        assert status == 401
        assert "token" in body
        assert fetched(page.port, {"Cookie": f"{COOKIE}=wrong"})[0] == 401
        assert fetched(page.port, {"Cookie": f"{COOKIE}=secret"})[0] == 200
        with pytest.raises(InvalidStatus, match="401"):
            connect(f"ws://127.0.0.1:{page.port}").close()
    finally:
        page.stop()


def test_a_busy_port_is_one_line(page: Page) -> None:
    with pytest.raises(FbRosError, match=f"cannot listen on 127.0.0.1:{page.port}"):
        Page("127.0.0.1", page.port, "title", Gate("127.0.0.1"))


def test_a_second_browser_sees_the_same_and_may_steer(page: Page) -> None:
    dragged: list[tuple[tuple[float, float, float], bool]] = []
    page.add_goal(0.1, (0.0, 0.0, 0.0), (True, True, True), lambda *seen: dragged.append(seen))
    with HeadlessBrowser(page.port) as first, HeadlessBrowser(page.port) as second:
        wait_for(lambda: page.clients == 2, "both")
        second.drag([(0.1, 0.2, 0.3)])
        wait_for(lambda: bool(dragged) and dragged[-1][1], "the end of the drag")
        assert dragged[-1] == ((0.1, 0.2, 0.3), True)
        wait_for(
            lambda: any(
                message["type"] == "SetPositionMessage"
                and tuple(message["position"]) == (0.1, 0.2, 0.3)
                for _, messages in first.read(0.5)
                for message in messages
            ),
            "the first one to see it",
        )


def test_browsers_that_come_and_go_leave_nothing(page: Page) -> None:
    def visit() -> None:
        with HeadlessBrowser(page.port):
            wait_for(lambda: page.clients == 1, "the browser")
        wait_for(lambda: page.clients == 0, "its end")

    visit()
    before = threading.active_count()
    for _ in range(20):
        visit()
    assert threading.active_count() <= before
