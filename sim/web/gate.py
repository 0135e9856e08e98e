"""The rules for who may open the page: anyone who opens it may move the robot.

A page that listens only on this machine still has two intruders to keep out. A web site that the
person has open can connect to any port of this machine, and a site whose name is made to resolve
to 127.0.0.1 looks like this machine. The headers `Host` and `Origin`, which the browser sends,
reveal both. A page that other machines can reach also asks for a token.
"""

from __future__ import annotations

import dataclasses
import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

COOKIE = "fb_ros_token"
_LOCAL_NAMES = ("localhost",)
# The page loads nothing from elsewhere, and no other page can embed it.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "connect-src 'self' ws: wss: data: blob:; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_ASKING = """<!doctype html><meta charset="utf-8"><title>fb_ros</title>
<style>body{font:16px sans-serif;max-width:26em;margin:15vh auto;color:#212529}
input,button{font:inherit;padding:.5em;border-radius:4px;border:1px solid #adb5bd;width:100%;
box-sizing:border-box;margin-top:.6em}button{background:#1864ab;color:#fff}</style>
<h1>fb_ros</h1>
<p>Whoever opens this page may move the robot. The page's log says the token.</p>
<p id="wrong" style="color:#c92a2a"></p>
<form><input id="token" type="password" autocomplete="off" autofocus placeholder="token">
<button>open</button></form>
<script>
if (document.cookie.includes("NAME=")) wrong.textContent = "That is not the token.";
document.forms[0].onsubmit = (event) => {
  event.preventDefault();
  document.cookie = "NAME=" + encodeURIComponent(token.value) + "; SameSite=Strict; Path=/";
  location.reload();
};
</script>
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Refusal:
    """The response to a request that may not pass."""

    status: HTTPStatus
    body: str
    kind: str = "text/plain; charset=utf-8"


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server that listens on `host`."""
    if host in _LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def make_token() -> str:
    """Makes a token that cannot be guessed."""
    return secrets.token_urlsafe(16)


class Gate:
    """Checks a request's headers and refuses those that may not pass."""

    def __init__(self, host: str, token: str = "") -> None:
        """`host` is the address that the page listens on. If it is not local, the page asks for
        the `token`; without one, a token is made."""
        self.local = is_local(host)
        self.token = "" if self.local else token or make_token()

    def refuse(self, headers: Mapping[str, str]) -> Refusal | None:
        """The reason why a request with these headers may not pass, or None if it may."""
        host = headers.get("Host", "")
        name = _name(f"//{host}")
        if self.local and not is_local(name):
            return Refusal(
                status=HTTPStatus.FORBIDDEN,
                body=f"this page is for this machine only, not for {name[:80]!r}",
            )
        origin = headers.get("Origin")
        if origin is not None and origin.partition("://")[2].lower() != host.lower():
            return Refusal(
                status=HTTPStatus.FORBIDDEN,
                body=f"a page of {origin[:80]!r} may not talk to the robot",
            )
        if self.token and not hmac.compare_digest(
            _cookie(headers.get("Cookie", "")).encode(), self.token.encode()
        ):
            return Refusal(
                status=HTTPStatus.UNAUTHORIZED,
                body=_ASKING.replace("NAME", COOKIE),
                kind="text/html; charset=utf-8",
            )
        return None


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
