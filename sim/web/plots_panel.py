"""Live plots: what is earned beside what was forecast, and how fast the nodes are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

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
    "likeness": ("likeness to what z asks for", {"now": _SEEN, "forecast": _EXPECTED}),
    "measure": ("distance", {"now": _SEEN, "aim": _EXPECTED}),
    "latency": ("policy_node", {"p50 ms": _SEEN, "p99 ms": _MEAN, "deadlines missed": _BAD}),
}
"""Titles of the plots, and their lines with their colours."""
# uPlot finds no scale for a line of which no value is known.
_UNKNOWN = ("forecast",)
_FORECASTS = {"reward": "predicted_reward", "likeness": "predicted_likeness"}


class PlotsPanel:
    """The panel at the left edge."""

    def __init__(self, page: Page, gamma: float) -> None:
        self._page, self._gamma = page, gamma
        self._forecast: dict[str, float] = {}
        self._mean: float | None = None
        self._misses: float | None = None
        self._histories = {
            "reward": History(3),
            "likeness": History(2),
            "measure": History(2),
            "latency": History(3, seconds=300.0),
        }
        with page.panel("live", 330.0, floating=False):
            self._plots = {
                key: page.plot(title, _series(lines, _UNKNOWN), _HEIGHT)
                for key, (title, lines) in _PLOTS.items()
            }
        self._plots["measure"].visible = self._plots["reward"].visible = False

    def ask(self, asked: Asked, values: Mapping[str, str]) -> None:
        """A new prompt, with the figures of its answer."""
        self._forecast = {
            name: float(values[name]) for name in _FORECASTS.values() if name in values
        }
        self._mean = None
        for key, figure in _FORECASTS.items():
            hidden = () if figure in self._forecast else _UNKNOWN
            self._plots[key].series = _series(_PLOTS[key][1], hidden)
        for key in ("reward", "likeness", "measure"):
            self._histories[key].clear()
        self._plots["reward"].visible = bool(asked.rewards)
        self._plots["measure"].visible = asked.measure is not None
        if asked.measure is not None:
            self._plots["measure"].title = f"{asked.measure.name} ({asked.measure.unit})"

    def add(
        self,
        now: float,
        periods: float,
        asked: Asked,
        leading: Leading,
        features: np.ndarray | None,
        z: np.ndarray | None,
    ) -> None:
        """A look at the robot at the time `now` (s), `periods` of control after the last one."""
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
                self._histories["measure"].add(now, read, asked.measure.aim)
            if z is not None:
                likeness = leading.likeness(features, z)
        self._histories["likeness"].add(now, likeness, self._forecast.get("predicted_likeness"))

    def show_policy(self, now: float, values: Mapping[str, str]) -> None:
        """Latencies and deadlines from `/diagnostics`."""
        if "p50_ms" not in values:
            return
        misses = float(values.get("deadline_misses", 0.0))
        new = misses - (misses if self._misses is None else self._misses)
        self._misses = misses
        row = float(values["p50_ms"]), float(values["p99_ms"]), max(new, 0.0)
        self._histories["latency"].add(now, *row)

    def draw(self) -> None:
        """Sends what was added to the browsers."""
        with self._page.together():
            for key, plot in self._plots.items():
                if plot.visible:
                    plot.data = self._histories[key].arrays()


def _series(lines: Mapping[str, str], hidden: Collection[str] = ()) -> tuple[Any, ...]:
    """What uPlot is told of the times and of each line."""
    return (
        {"label": "s"},
        *(
            {"label": name, "stroke": colour, "width": 2, "show": name not in hidden}
            for name, colour in lines.items()
        ),
    )
