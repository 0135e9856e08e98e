"""Checks that the page can be served, made before anything is started."""

from __future__ import annotations

import importlib.util
import socket

from fb_ros.errors import FbRosError

_PACKAGES = ("viser", "mjviser")


def require_page(host: str, port: int) -> None:
    """Refuses to start a page that could not be served.

    Raises:
        FbRosError: a package of the extra `web` is missing, or the address `host` and `port`
        cannot
            be listened on.
    """
    for package in _PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise FbRosError(
                f"the Python package {package} is missing; install it with "
                "`pip install 'fb_ros[web]'`"
            )
    require_free(host, port)


def require_free(host: str, port: int) -> None:
    """Refuses an address that cannot be listened on: viser would silently take another port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise FbRosError(
                f"the page cannot listen on {host}:{port} ({error}); choose another port, or an "
                "address of this machine"
            ) from error
