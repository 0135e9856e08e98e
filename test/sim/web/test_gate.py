"""Who may open the page."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from sim.web.gate import COOKIE, Gate, is_local

HERE = {"Host": "127.0.0.1:8080"}


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.3.2.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.7", False),
        ("robot.example", False),
        ("127.0.0.1.evil.example", False),
        ("", False),
    ],
)
def test_only_a_loopback_address_is_local(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_local_page_needs_no_token() -> None:
    gate = Gate("127.0.0.1")
    assert not gate.token
    assert gate.refuse(HERE) is None
    assert gate.refuse({"Host": "localhost:9999"}) is None  # Through a tunnel, say.


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8080", "192.168.1.7", "", "["])
def test_a_name_that_was_made_to_resolve_to_this_machine_is_refused(name: str) -> None:
    refusal = Gate("127.0.0.1").refuse({"Host": name})
    assert refusal is not None
    assert refusal.status == HTTPStatus.FORBIDDEN


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:1234", "null", "", "http://["]
)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_another_site_in_the_same_browser_is_refused(host: str, origin: str) -> None:
    gate = Gate(host, "secret")
    headers = {**HERE, "Origin": origin, "Cookie": f"{COOKIE}=secret"}
    refusal = gate.refuse(headers)
    assert refusal is not None
    assert refusal.status == HTTPStatus.FORBIDDEN
    assert gate.refuse({**headers, "Origin": "http://127.0.0.1:8080"}) is None


@pytest.mark.parametrize(
    "cookie", ["", f"{COOKIE}=", f"{COOKIE}=wrong", "other=secret", f"{COOKIE}=secre\u00e9", "=;,"]
)
def test_an_address_that_others_reach_asks_for_the_token(cookie: str) -> None:
    gate = Gate("0.0.0.0", "secret")
    refusal = gate.refuse({"Host": "robot:8080", "Cookie": cookie})
    assert refusal is not None
    assert refusal.status == HTTPStatus.UNAUTHORIZED
    assert "token" in refusal.body
    assert "secret" not in refusal.body
    assert gate.refuse({"Host": "robot:8080", "Cookie": f"a=b; {COOKIE}=secret"}) is None


def test_a_token_is_made_where_none_is_given_and_is_another_each_time() -> None:
    tokens = {Gate("0.0.0.0").token for _ in range(20)}
    assert len(tokens) == 20
    assert min(len(token) for token in tokens) >= 20
