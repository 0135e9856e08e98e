"""The entries of a ROS parameter file that concern one node."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError

Value = str | int | float | bool | list[str] | list[int] | list[float] | list[bool]


def parameters_of(file: Path, node: str, namespace: str) -> dict[str, Value]:
    """The parameters that `file` has for `node` in `namespace`, later entries over earlier ones.

    Entries are named as `ros2 param dump` and rcl do: by the node's name, with or without its
    namespace, with `*` for one part and `**` for any number of them. A file that is missing or
    holds no parameters is refused.
    """
    # yaml comes with rclpy, and only nodes need it.
    import yaml

    try:
        read = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FbRosError(f"params_file {file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FbRosError(f"params_file {file}: {' '.join(str(error).split())}") from error
    found: dict[str, Value] = {}
    for names, parameters in _entries(read or {}, file):
        if _is_meant(names, node, namespace):
            found |= dict(_flat(parameters, ""))
    return found


def _entries(read: object, file: Path, above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Names of nodes and their parameters; a namespace may stand above a node, as a level."""
    if not isinstance(read, Mapping):
        raise FbRosError(
            f"params_file {file}: expected NODE, ros__parameters and NAME: VALUE below each other"
        )
    for key, below in read.items():
        name = f"{above}/{str(key).strip('/')}"
        if isinstance(below, Mapping) and isinstance(below.get("ros__parameters"), Mapping):
            yield name, dict(below["ros__parameters"])
        else:
            yield from _entries(below, file, name)


def _is_meant(names: str, node: str, namespace: str) -> bool:
    whole = f"/{namespace.strip('/')}/{node}" if namespace.strip("/") else f"/{node}"
    pattern, parts = names.strip("/").split("/"), whole.strip("/").split("/")
    # A bare name matches the node of that name in any namespace.
    return _matches(pattern, parts) or pattern == [node]


def _matches(pattern: list[str], parts: list[str]) -> bool:
    if not pattern or not parts:
        return not parts and all(part == "**" for part in pattern)
    if pattern[0] == "**":
        return _matches(pattern[1:], parts) or _matches(pattern, parts[1:])
    return fnmatch.fnmatchcase(parts[0], pattern[0]) and _matches(pattern[1:], parts[1:])


def _flat(parameters: Mapping[str, Any], above: str) -> Iterator[tuple[str, Value]]:
    for name, value in parameters.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
