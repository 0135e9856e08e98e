"""A second backend that takes over for good when the first one fails at work."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from fb_ros.backends.backend import Backend
from fb_ros.errors import FbRosError
from fb_ros.graphs import Shapes

_LOG = logging.getLogger(__name__)


class WithReserve:
    """A graph on a GPU, with the same graph on the CPU should the GPU be lost."""

    def __init__(self, first: Backend, reserve: Backend) -> None:
        self._active, self._reserve = first, reserve

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
        except FbRosError as error:
            # First, so that an input that is wrong on both is refused and changes nothing.
            outputs = self._reserve.run(inputs)
            _LOG.warning(
                "%s failed (%s); going on with %s",
                self._active.runtime,
                error,
                self._reserve.runtime,
            )
            self._active = self._reserve
            return outputs
