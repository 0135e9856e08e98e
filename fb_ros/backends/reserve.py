"""A second backend that takes over for good when the first one fails at work."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from fb_ros.backends.backend import Backend, InputRefused, one_line
from fb_ros.backends.graphs import Shapes

_LOG = logging.getLogger(__name__)


class WithReserve:
    """A graph on a GPU, with the same graph on the CPU should the GPU be lost."""

    def __init__(self, first: Backend, reserve: Backend) -> None:
        self._active, self._reserve = first, reserve
        # Kept when it is lost: to take apart what lies on a dead GPU can end the process.
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
            return self._reserve.run(inputs)  # Which may have room for more rows.
        except Exception as error:  # Whatever it is, the robot gets its action.
            _LOG.warning(
                "%s failed (%s); going on with %s",
                self._active.runtime,
                one_line(error),
                self._reserve.runtime,
            )
            self._active = self._reserve
            return self._reserve.run(inputs)
