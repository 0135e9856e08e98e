"""Pictures of a simulated robot on its way to a goal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import mujoco
import numpy as np
from PIL import Image

from fb_ros.errors import FbRosError
from sim.renderer import require_renderer
from sim.robots.environment import Environment
from sim.tasks.follow import CommandOf
from sim.tasks.simulated_walker import SimulatedWalker
from sim.tasks.square import SIDE_M, Whereabouts, walk_square
from sim.tasks.velocity_task import ControllerFor

_FRAMES_PER_SECOND = 12.5
# Control periods between two points of a trail.
_MARK_EVERY = 10
_RADIUS_M, _TRAIL_M, _COLOUR = 0.03, 0.012, np.array([0.9, 0.1, 0.1, 0.8], dtype=np.float32)


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

    def take(
        self,
        goal: np.ndarray | None = None,
        *,
        trail: Sequence[np.ndarray] = (),
        camera: int | mujoco.MjvCamera = 0,
    ) -> None:
        """Adds a frame of the present state; the `goal`, if any, and the points of a `trail` are
        in metres, world frame."""
        self._renderer.update_scene(self._environment.data, camera=camera)
        if goal is not None:
            self._add_ball(goal, _RADIUS_M)
        for point in trail:
            self._add_ball(point, _TRAIL_M)
        self._frames.append(self._renderer.render())

    def _add_ball(self, goal: np.ndarray, radius: float) -> None:
        scene = self._renderer.scene
        mujoco.mjv_initGeom(
            scene.geoms[scene.ngeom],
            type=mujoco.mjtGeom.mjGEOM_SPHERE,
            size=np.full(3, radius),
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


def draw_square(environment: Environment, controller_for: ControllerFor, path: Path) -> None:
    """Walks a square from the present state, and writes a frame on each of its sides."""
    strip = FilmStrip(environment)
    walker = SimulatedWalker(environment, controller_for, lambda now: step(now))
    start = walker.whereabouts()
    turn = np.array(
        [
            [np.cos(start.heading), -np.sin(start.heading)],
            [np.sin(start.heading), np.cos(start.heading)],
        ]
    )
    camera = mujoco.MjvCamera()
    camera.lookat[:2] = start.position + turn @ np.full(2, 0.5 * SIDE_M)
    camera.distance, camera.elevation = 2.8 * SIDE_M, -45.0
    camera.azimuth = np.degrees(start.heading)
    trail: list[np.ndarray] = []
    taken: set[int] = set()

    def step(now: Whereabouts) -> None:
        """Marks the way, and takes a frame in the middle of each side, where the square as seen
        from its centre has its next quarter."""
        if round(now.seconds / environment.spec.ctrl_dt) % _MARK_EVERY == 0:
            trail.append(np.array([*now.position, _TRAIL_M]))
        seen = turn.T @ (now.position - camera.lookat[:2])
        # 0 on the side that leads ahead, then 1 to 3.
        side = int((np.arctan2(seen[1], seen[0]) + 0.75 * np.pi) // (0.5 * np.pi)) % 4
        along = seen[(0, 1, 0, 1)[side]] * (1.0, 1.0, -1.0, -1.0)[side]
        if side not in taken and along > 0.0 and len(taken) == side:
            taken.add(side)
            strip.take(trail=trail, camera=camera)

    walk_square(walker)
    strip.save(path)
