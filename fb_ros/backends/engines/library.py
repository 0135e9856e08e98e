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
    """An execution context, and the objects that it needs."""

    context: Any
    needed: tuple[Any, ...] = ()
    """Objects that must outlive the context; the bindings do not keep them alive."""
    keep: Callable[[], None] = lambda: None
    """Stores the kernels that the context has compiled, where it compiles any."""


class EngineLibrary(ABC):
    """One flavour of TensorRT. Both have the same Python API, but build for different GPUs."""

    name: str
    """Name of its Python package, and of its backend."""
    title: str
    """The library's name, as its maker writes it."""
    remedy: str
    """How to install the library."""
    portable: bool
    """Whether an engine runs on every GPU of a compute capability, and not on one model only."""

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

        The package's libraries take over a hundred megabytes, which a machine without a GPU does
        not need.
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
        """Compute capabilities for which the library builds without such a GPU."""

    @property
    def network_flags(self) -> int:
        """Flags of a network with its graph's types, where the version supports these."""
        flags = self.module.NetworkDefinitionCreationFlag
        names = ("STRONGLY_TYPED", "EXPLICIT_BATCH")
        # Version 8.6 has no strong types, and version 11 has only explicit batches.
        for name in names:
            if hasattr(flags, name):
                return 1 << int(getattr(flags, name))
        return 0

    @abstractmethod
    def set_target(self, config: Any, capability: str, precision: Precision) -> None:
        """Sets in a builder's `config` which GPU and precision to build for."""

    @abstractmethod
    def prepare(self, engine: Any, cache: EngineCache, name: str) -> Prepared:
        """An execution context of a deserialised engine, called `name` in the cache."""

    def require_capability(self, capability: str) -> None:  # noqa: B027
        """Refuses a GPU that the library does not support."""

    def use_timing_cache(self, config: Any, content: bytes) -> None:  # noqa: B027
        """Gives a builder the timings of earlier builds, if it accepts any."""

    def timing_cache(self, config: Any) -> bytes:
        """The timings after a build; empty where there are none."""
        return b""
