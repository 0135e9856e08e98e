"""Live plots: the reward earned beside its forecast, and how fast the nodes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fb_ros.bundle.bundle import Bundle
from sim.web.asked import Asked
from sim.web.history import History
from sim.web.leading import Leading
from sim.web.page import Page

_HEIGHT = 165
_SEEN, _MEAN, _EXPECTED, _BAD = "#1864ab", "#74c0fc", "#e8590c", "#c92a2a"
_PLOTS = {
    "reward": (
        "reward of the formula",
        {"earned": _SEEN, "its mean": _MEAN, "forecast": _EXPECTED},
    ),
    "reward alone": ("reward of the formula", {"earned": _SEEN, "its mean": _MEAN}),
    "likeness": ("likeness to what z asks for", {"now": _SEEN, "forecast": _EXPECTED}),
    "likeness alone": ("likeness to what z asks for", {"now": _SEEN}),
    "distance": ("distance from the goal ({unit})", {"now": _SEEN, "aim": _EXPECTED}),
    "velocity": ("velocity along what was asked", {"now": _SEEN, "aim": _EXPECTED}),
    "latency": ("policy_node", {"p50 ms": _SEEN, "p99 ms": _MEAN, "deadlines missed": _BAD}),
}
"""Titles of the plots, and their lines with their colours."""
# uPlot finds no scale for a line without any known value: without a forecast, a plot without that
# line replaces the other one.
_ALONE = " alone"
_FORECASTS = {"reward": "predicted_reward", "likeness": "predicted_likeness"}


class PlotsPanel:
    """The panel at the left edge."""

    def __init__(self, page: Page, bundle: Bundle) -> None:
        self._page, self._gamma = page, bundle.gamma
        unit = bundle.robot.feature(bundle.robot.goal_feature).unit
        self._forecast: dict[str, float] = {}
        self._mean: float | None = None
        self._misses: float | None = None
        self._histories = {
            "reward": History(3),
            "likeness": History(2),
            "distance": History(2),
            "velocity": History(2),
            "latency": History(3, seconds=300.0),
        }
        with page.panel("live", 330.0, floating=False):
            self._plots = {
                key: page.plot(title.format(unit=unit), _series(lines), _HEIGHT)
                for key, (title, lines) in _PLOTS.items()
            }
        self._show(Asked())

    def ask(self, asked: Asked, values: Mapping[str, str]) -> None:
        """Takes a new prompt, with the figures of its answer."""
        self._forecast = {
            name: float(values[name]) for name in _FORECASTS.values() if name in values
        }
        self._mean = None
        for key in ("reward", "likeness", "distance", "velocity"):
            self._histories[key].clear()
        self._show(asked)

    def _show(self, asked: Asked) -> None:
        """Shows those plots that have values."""
        measured = {"reward": bool(asked.rewards), "likeness": True}
        for key, figure in _FORECASTS.items():
            known = figure in self._forecast
            self._plots[key].visible = measured[key] and known
            self._plots[key + _ALONE].visible = measured[key] and not known
        for kind in ("distance", "velocity"):
            self._plots[kind].visible = asked.measure is not None and asked.measure.kind == kind

    def add(
        self,
        now: float,
        periods: float,
        asked: Asked,
        leading: Leading,
        features: np.ndarray | None,
        z: np.ndarray | None,
    ) -> None:
        """Takes the robot's state at the time `now` (s), `periods` control periods after the last
        one."""
        likeness = None
        if features is not None:
            earned = asked.reward(features)
            if earned is not None:
                self._mean = earned if self._mean is None else self._mean
                self._mean += (1.0 - self._gamma**periods) * (earned - self._mean)
                forecast = self._forecast.get("predicted_reward")
                self._histories["reward"].add(now, earned, self._mean, forecast)
            if asked.measure is not None:
                read = asked.measure.read(features)
                self._histories[asked.measure.kind].add(now, read, asked.measure.aim)
            if z is not None:
                likeness = leading.likeness(features, z)
        self._histories["likeness"].add(now, likeness, self._forecast.get("predicted_likeness"))

    def show_policy(self, now: float, values: Mapping[str, str]) -> None:
        """Shows latencies and deadlines from `/diagnostics`."""
        if "p50_ms" not in values:
            return
        misses = float(values.get("deadline_misses", 0.0))
        new = misses - (misses if self._misses is None else self._misses)
        self._misses = misses
        row = float(values["p50_ms"]), float(values["p99_ms"]), max(new, 0.0)
        self._histories["latency"].add(now, *row)

    def draw(self) -> None:
        """Sends the added values to the browsers."""
        with self._page.together():
            for key, plot in self._plots.items():
                if not plot.visible:
                    continue
                arrays = self._histories[key.removesuffix(_ALONE)].arrays()
                plot.data = arrays[:-1] if key.endswith(_ALONE) else arrays


def _series(lines: Mapping[str, str]) -> tuple[Any, ...]:
    """uPlot's options for the times and for each line."""
    styles = [{"label": name, "stroke": colour, "width": 2} for name, colour in lines.items()]
    return ({"label": "s"}, *styles)
