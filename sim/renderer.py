"""Which renderer MuJoCo has: none by default, and none where its library is not installed."""

from __future__ import annotations

import ctypes.util
import os

from fb_ros.errors import FbRosError

_NAME = "MUJOCO_GL"
# What MuJoCo takes for no renderer at all.
_NONE = ("", "0", "off", "false", "disable", "disabled")
_LIBRARIES = {"egl": "EGL", "osmesa": "OSMesa", "glfw": "GL"}
_missing: list[str] = []


def choose_renderer() -> None:
    """Takes none unless one was asked for, and none where the one asked for cannot be loaded.

    To be called before MuJoCo is imported, which would fail for want of it, or look for a display,
    even if nothing is to be drawn.
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
        FbRosError: none was asked for, or the one that was is not here.
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
