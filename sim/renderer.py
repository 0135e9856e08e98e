"""MuJoCo's renderer: none by default, and none if its library is not installed."""

from __future__ import annotations

import ctypes.util
import os

from fb_ros.errors import FbRosError

_NAME = "MUJOCO_GL"
# Values that MuJoCo reads as no renderer.
_NONE = ("", "0", "off", "false", "disable", "disabled")
_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa", "glfw": "GL"}
_missing: list[str] = []


def choose_renderer() -> None:
    """Selects no renderer unless one was requested, and none if the requested one cannot be
    loaded.

    Call this before importing MuJoCo: the import would fail without the library, or look for a
    display, even if nothing is drawn.
    """
    asked = os.environ.get(_NAME, "").lower().strip()
    library = _LIBRARIES.get(asked)
    if asked in _NONE:
        os.environ[_NAME] = "off"
    elif library is None or ctypes.util.find_library(library) is None:
        _missing.append(os.environ[_NAME])
        os.environ[_NAME] = "off"


def require_renderer(what: str) -> None:
    """Refuses to draw `what` ("pictures") without a renderer.

    Raises:
        FbRosError: no renderer was requested, or the requested one is not installed.
    """
    if os.environ.get(_NAME, "off") not in _NONE:
        return
    if not _missing:
        raise FbRosError(f"{what} need a renderer; set MUJOCO_GL=egl (or osmesa, or glfw)")
    library = _LIBRARIES.get(_missing[0].lower().strip())
    reason = f"its library lib{library} is not installed" if library else "there is none like that"
    raise FbRosError(
        f"{what} need a renderer; MUJOCO_GL is {_missing[0]}, and {reason}; there are egl, osmesa "
        "and glfw"
    )
