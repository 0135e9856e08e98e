"""The common part of the two flavours of TensorRT, and how they differ."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.graphs import Precision
from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True)
class Prepared:
    """An execution context, and what it takes."""

    context: Any
    needed: tuple[Any, ...] = ()
    """Objects that have to outlive it; the bindings do not keep them."""
    keep: Callable[[], None] = lambda: None
    """Keeps what the context has compiled, where it compiles."""


class EngineLibrary(ABC):
    """One flavour of TensorRT. Its Python API is one; what it can build for is not."""

    name: str
    """Name of its Python package, and of its backend."""
    title: str
    """As its maker writes it."""
    remedy: str
    """How to get it."""
    portable: bool
    """Whether its engines run on every GPU of a compute capability, and not on one model alone."""

    @cached_property
    def module(self) -> Any:
        """The Python package; refuses a machine without it, or without its libraries."""
        self.require_installed()
        try:
            return importlib.import_module(self.name)
        except ModuleNotFoundError as error:
            raise FbRosError(f"{self.title} does not load: {error}") from error
        except (ImportError, OSError) as error:
            line = str(error).splitlines()[0]
            raise FbRosError(f"{self.title} does not load ({line}); {self.remedy}") from error

    def require_installed(self) -> None:
        """Refuses a machine without the Python package, and does not load it.

        Its libraries take over a hundred megabytes, which a machine without a GPU has no use for.
        """
        if sys.modules.get(self.name) is None and importlib.util.find_spec(self.name) is None:
            raise FbRosError(f"{self.title} is not installed; {self.remedy}")

    @property
    def version(self) -> str:
        """Version of the library."""
        return str(self.module.__version__)

    @property
    @abstractmethod
    def ahead_capabilities(self) -> tuple[str, ...]:
        """Compute capabilities for which it builds without having such a GPU."""

    @property
    def network_flags(self) -> int:
        """For a network whose types are those of its graph, where the version has such."""
        flags = self.module.NetworkDefinitionCreationFlag
        names = ("STRONGLY_TYPED", "EXPLICIT_BATCH")
        # 8.6 knows no strong types, and 11 no other than explicit batches.
        for name in names:
            if hasattr(flags, name):
                return 1 << int(getattr(flags, name))
        return 0

    @abstractmethod
    def set_target(self, config: Any, capability: str, precision: Precision) -> None:
        """Says in a builder's `config` what to build for."""

    @abstractmethod
    def prepare(self, engine: Any, cache: EngineCache, name: str) -> Prepared:
        """An execution context of a deserialised engine, called `name` in the cache."""

    def require_capability(self, capability: str) -> None:  # noqa: B027
        """Refuses a GPU that the library does not know."""

    def use_timing_cache(self, config: Any, content: bytes) -> None:  # noqa: B027
        """Gives a builder the timings of earlier builds, where it takes any."""

    def timing_cache(self, config: Any) -> bytes:
        """The timings after a build; empty where there are none."""
        return b""
