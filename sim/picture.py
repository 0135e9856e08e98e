"""Pictures of a simulated robot on its way to a goal."""

from __future__ import annotations

import os
from pathlib import Path

import mujoco
import numpy as np
from PIL import Image

from fb_ros.errors import FbRosError
from sim.renderer import require_renderer
from sim.robots.environment import Environment
from sim.tasks.follow import CommandOf

_FRAMES_PER_SECOND = 12.5
_RADIUS_M, _COLOUR = 0.03, np.array([0.9, 0.1, 0.1, 0.8], dtype=np.float32)


class FilmStrip:
    """Frames of an episode, side by side, with the goal drawn as a red ball."""

    def __init__(self, environment: Environment, *, height: int = 360, width: int = 360) -> None:
        require_renderer("pictures")
        self._environment = environment
        try:
            self._renderer = mujoco.Renderer(environment.model, height, width)
        except Exception as error:  # Whatever OpenGL raises without a display or a GPU.
            raise FbRosError(
                f"MUJOCO_GL={os.environ['MUJOCO_GL']} draws nothing here ({error}); set it to "
                "egl, osmesa or glfw"
            ) from error
        self._frames: list[np.ndarray] = []

    def take(self, goal: np.ndarray | None = None) -> None:
        """Adds a frame of the present state; `goal`, if any, is in metres, world frame."""
        self._renderer.update_scene(self._environment.data, camera=0)
        if goal is not None:
            self._add_ball(goal)
        self._frames.append(self._renderer.render())

    def _add_ball(self, goal: np.ndarray) -> None:
        scene = self._renderer.scene
        mujoco.mjv_initGeom(
            scene.geoms[scene.ngeom],
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=np.full(3, _RADIUS_M),
            pos=goal,
            mat=np.eye(3).flatten(),
            rgba=_COLOUR,
        )
        scene.ngeom += 1

    def save(self, path: Path) -> None:
        """Writes the frames as one PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.concatenate(self._frames, axis=1)).save(path, optimize=True)
        self._renderer.close()

    def save_film(self, path: Path, *, seconds: float) -> None:
        """Writes the frames as an animated GIF; each is shown for `seconds`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        first, *others = [Image.fromarray(frame) for frame in self._frames]
        first.save(path, save_all=True, append_images=others, duration=1000 * seconds, loop=0)
        self._renderer.close()


def film(
    environment: Environment,
    command_of: CommandOf,
    path: Path,
    *,
    steps: int,
    goal: np.ndarray | None = None,
) -> None:
    """Runs an episode from the present state and writes it as an animated GIF, in real time."""
    ctrl_dt = environment.spec.ctrl_dt
    every = max(1, round(1.0 / (_FRAMES_PER_SECOND * ctrl_dt)))
    strip = FilmStrip(environment)
    for step in range(steps):
        if step % every == 0:
            strip.take(goal)
        environment.step(command_of(environment))
    strip.save_film(path, seconds=every * ctrl_dt)
