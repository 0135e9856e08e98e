"""Widgets and drawings in the browser: the only file that knows viser.

Handles of widgets are viser's own; the rest of the page uses only their `content`, `value`,
`options`, `data`, `visible`, `label` and `title`. Callbacks run in the server's thread, one after
the other, and must not block.
"""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import viser

from fb_ros.errors import FbRosError
from sim.web.body_meshes import BodyMesh
from sim.web.gate import Gate
from sim.web.guarded_serving import guarded
from sim.web.hanging import Hanging
from sim.web.one_by_one import Handler, one_by_one
from sim.web.readiness import require_free

Axes = tuple[bool, bool, bool]
OnDrag = Callable[[tuple[float, float, float], bool], None]
"""Called with the point of a drag (m), and whether the drag is over."""

_LOG = logging.getLogger("fb_ros.web")
BRAND = (24, 100, 171)
_GHOST: dict[str, Any] = {"color": (66, 99, 235), "cast_shadow": False}
# Width of the main panel, pixels.
_WIDTH = 390.0
_GOAL_COLOUR = (224, 49, 49)
# Parent of everything that moves with the world.
_WORLD = "/world"


class _Server(viser.ViserServer):
    """viser's server, without its way to publish a page on the internet at any client's
    request."""

    def request_share_url(self, verbose: bool = True) -> str | None:
        """Refuses, and logs that it did."""
        _LOG.warning("a browser asked to share the page on the internet; refused")
        return None


class Page:
    """One page that all browsers share."""

    def __init__(self, host: str, port: int, title: str, gate: Gate) -> None:
        """Serves on `host` and `port`; refuses a port that is taken."""
        require_free(host, port)
        # The node logs the address itself, so viser's output is dropped.
        with guarded(gate), contextlib.redirect_stdout(io.StringIO()):
            self._server = _Server(host=host, port=port, label=title, verbose=False)
        self.port = self._server.get_port()
        if port not in (0, self.port):
            self._server.stop()
            raise FbRosError(f"port {port} was taken just now; choose another one")
        gui = self._server.gui
        gui.configure_theme(
            show_logo=False, show_share_button=False, control_width="large", brand_color=BRAND
        )
        gui.set_panel_label(title)
        gui.main_panel.dock_right()
        gui.main_panel.set_width(_WIDTH)
        self._server.scene.configure_environment_map(environment_intensity=0.35)
        self._world = self._server.scene.add_frame(_WORLD, axes_length=0.1, axes_radius=0.003)
        self._bodies: dict[str, dict[int, Any]] = {}
        self._hanging: dict[str, Hanging] = {}

    @property
    def clients(self) -> int:
        """Number of browsers that show the page now."""
        return len(self._server.get_clients())

    def stop(self) -> None:
        """Ends the server."""
        with contextlib.redirect_stdout(io.StringIO()):
            self._server.stop()

    def together(self) -> AbstractContextManager[None]:
        """A context whose changes arrive together."""
        return self._server.atomic()

    # The scene.

    def look(self, position: np.ndarray, at: np.ndarray) -> None:
        """Sets the first position of a browser's camera and the point that it looks at, m."""
        self._server.initial_camera.position = position
        self._server.initial_camera.look_at = at

    def shift(self, offset: np.ndarray) -> None:
        """Moves the whole world by `offset` `(3,)`, m, under the cameras."""
        self._world.position = offset

    def add_floor(self, height: float, cell: float) -> None:
        """An endless grid with lines every `cell` metres."""
        self._server.scene.add_grid(
            f"{_WORLD}/floor",
            infinite_grid=True,
            cell_size=cell,
            section_size=10.0 * cell,
            fade_distance=100.0 * cell,
            plane_opacity=0.0,
            shadow_opacity=0.25,
            position=(0.0, 0.0, height),
        )

    def add_bodies(self, name: str, meshes: Sequence[BodyMesh], *, ghost: bool = False) -> None:
        """Adds the bodies of a robot, to be moved by `move`; a `ghost` is translucent."""
        scene = self._server.scene
        frames: dict[int, Any] = {}
        self._bodies[name] = frames
        self._hanging[name] = Hanging({part.body: part.carrier for part in meshes})
        for number, part in enumerate(meshes):
            if part.body not in frames:
                hook = f"{_WORLD}/{name}" if part.carrier is None else frames[part.carrier].name
                path = f"{hook}/{part.body}"
                frames[part.body] = scene.add_frame(path, show_axes=False)
            mesh, path = part.mesh, f"{frames[part.body].name}/mesh_{number}"
            if ghost:
                look = {**_GHOST, "opacity": 0.25, "receive_shadow": False}
                scene.add_mesh_simple(path, mesh.vertices, mesh.faces, **look)
            else:
                scene.add_mesh_trimesh(path, mesh)
        self.show(name, not ghost)

    def move(self, name: str, positions: np.ndarray, quaternions: np.ndarray) -> None:
        """Places a robot's bodies: positions `(bodies, 3)`, m, and quaternions `(bodies, 4)`, w
        first."""
        frames = self._bodies[name]
        shifted, turned = self._hanging[name].changes(positions, quaternions)
        for body, position in shifted.items():
            frames[body].position = position
        for body, quaternion in turned.items():
            frames[body].wxyz = quaternion

    def show(self, name: str, visible: bool) -> None:
        """Shows or hides a robot's bodies."""
        for body in self._hanging[name].roots:
            self._bodies[name][body].visible = visible

    def add_ball(self, name: str, radius: float) -> Any:
        """Adds a ball that looks like the ghost; it is hidden at first."""
        look = {**_GHOST, "opacity": 0.5, "visible": False}
        return self._server.scene.add_icosphere(f"{_WORLD}/{name}", radius=radius, **look)

    def add_goal(self, size: float, point: Sequence[float], axes: Axes, on_drag: OnDrag) -> Any:
        """Adds a ball with arrows of `size` (m) along `axes` that a person drags; it has a
        `position`."""
        scene, name = self._server.scene, f"{_WORLD}/goal"
        goal = scene.add_transform_controls(
            name,
            scale=size,
            position=np.asarray(point),
            active_axes=axes,
            disable_rotations=True,
            depth_test=False,
        )
        scene.add_icosphere(f"{name}/ball", radius=0.12 * size, color=_GOAL_COLOUR)

        async def dragged(event: viser.TransformControlsEvent) -> None:
            if event.phase != "start":
                x, y, z = (float(value) for value in goal.position)
                on_drag((x, y, z), event.phase == "end")

        goal.on_update(dragged)
        return goal

    # Panels.

    def panel(self, label: str, width: float, *, floating: bool) -> AbstractContextManager[Any]:
        """A panel at the left edge, or `floating` in the upper right corner, where it stays on
        scrolling."""
        panel = self._server.gui.add_panel()
        tab = panel.add_tab(label)
        if floating:
            panel.float(x=-12, y=12, width=width)
        else:
            panel.dock_left()
            panel.set_width(width)
        return tab

    def folder(self, label: str) -> Any:
        """Widgets below a heading."""
        return self._server.gui.add_folder(label)

    # Widgets.

    def html(self, content: str) -> Any:
        """Adds a piece of HTML; all text in it has to be escaped already."""
        return self._server.gui.add_html(content)

    def button(self, label: str, on_click: Handler, colour: Any = None) -> Any:
        """A button."""
        button = self._server.gui.add_button(label, color=colour)
        button.on_click(one_by_one(on_click))
        return button

    def buttons(self, label: str, handlers: dict[str, Handler], hint: str = "") -> Any:
        """Buttons in a row, by their labels."""
        group = self._server.gui.add_button_group(label, tuple(handlers), hint=hint or None)
        group.on_click(one_by_one(lambda: handlers[group.value]()))
        return group

    def text(self, label: str, value: str, on_enter: Handler, hint: str = "") -> Any:
        """Adds a line of text; `on_enter` is called when a person presses Enter in it."""
        form = self._server.gui.add_form(None)
        with form:
            text = self._server.gui.add_text(label, value, hint=hint or None)
        form.on_submit(one_by_one(on_enter))
        return text

    def choice(self, label: str, options: Sequence[str], on_choose: Handler | None = None) -> Any:
        """One of several texts."""
        choice = self._server.gui.add_dropdown(label, tuple(options))
        choice.on_update(one_by_one(on_choose or (lambda: None)))
        return choice

    def slider(self, label: str, low: float, high: float, on_slide: Handler) -> Any:
        """A number between two others, 0 at first."""
        step = 10.0 ** np.floor(np.log10((high - low) / 100.0))
        slider = self._server.gui.add_slider(label, low, high, float(step), 0.0)
        slider.on_update(one_by_one(on_slide))
        return slider

    def vector(self, label: str, value: Sequence[float], on_change: Handler) -> Any:
        """Three numbers."""
        vector = self._server.gui.add_vector3(label, np.asarray(value), step=0.01)
        vector.on_update(one_by_one(on_change))
        return vector

    def plot(self, title: str, series: Sequence[Any], height: int) -> Any:
        """Lines over time, each described by uPlot's options; its `data` are the times and the
        values of each line."""
        return self._server.gui.add_uplot(
            (np.zeros(1),) * len(series),
            series=tuple(series),
            scales={"x": {"time": False}},
            title=title,
            height=height,
        )
