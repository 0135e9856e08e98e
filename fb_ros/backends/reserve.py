"""A second backend that takes over for good when the first one fails during a run."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from fb_ros.backends.backend import Backend, InputRefused, one_line
from fb_ros.backends.graphs import Shapes

_LOG = logging.getLogger(__name__)


class WithReserve:
    """A graph on a GPU, and the same graph on the CPU in case the GPU is lost."""

    def __init__(self, first: Backend, reserve: Backend) -> None:
        self._active, self._reserve = first, reserve
        # The lost backend is kept: taking apart objects on a dead GPU can end the process.
        self._first = first

    @property
    def name(self) -> str:
        return self._active.name

    @property
    def runtime(self) -> str:
        return self._active.runtime

    @property
    def input_shapes(self) -> Shapes:
        return self._reserve.input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._reserve.output_names

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        if self._active is self._reserve:
            return self._reserve.run(inputs)
        try:
            return self._active.run(inputs)
        except InputRefused:
            return self._reserve.run(inputs)  # The reserve may have room for more rows.
        except Exception as error:  # Whatever the error is, the robot gets its action.
            _LOG.warning(
                "%s failed (%s); going on with %s",
                self._active.runtime,
                one_line(error),
                self._reserve.runtime,
            )
            self._active = self._reserve
            return self._reserve.run(inputs)
