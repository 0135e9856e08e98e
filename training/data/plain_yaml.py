"""A small part of YAML: texts, numbers, truth values, lists and mappings.

The rest of YAML is dangerous to read: aliases that repeat each other until memory is full, dates,
and whole numbers of a million digits.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import yaml

from fb_ros.errors import FbRosError
from fb_ros.plain_file import open_plain

_MOST_BYTES, _DEEPEST = 100_000, 8
_NUMBER = re.compile(r"[-+]?(\d{1,20}(\.\d{0,20})?|\.\d{1,20})([eE][-+]?\d{1,3})?")
_TRUTHS = {"true": True, "false": False}
_NULLS = ("", "~", "null")


def read_yaml(path: Path) -> Any:
    """The file's contents: finite numbers as floats, truth values, and everything else as text.

    Raises:
        FbRosError: The file is not readable, too long or too deep, or holds aliases, tags or the
        same
            key twice.
    """
    with open_plain(path) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise FbRosError(f"{path} has more than {_MOST_BYTES} bytes, which no mapping needs")
    try:
        loader = yaml.SafeLoader(content.decode("utf-8"))
        _require_plain_events(content.decode("utf-8"))
        node = loader.get_single_node()
        return None if node is None else _plain(node)
    except (ValueError, yaml.YAMLError) as error:
        raise FbRosError(f"{path} is not readable: {' '.join(str(error).split())}") from error


def _require_plain_events(text: str) -> None:
    """Checks events one by one, so that nothing grows before it is refused."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it repeats {event.anchor!r} by an alias; write it out")
        if getattr(event, "tag", None):
            raise ValueError("it has tags, which are not read")
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, Any] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ValueError("a key is a list or a mapping, expected a text")
            if key.value in mapping:
                raise ValueError(f"{key.value[:80]!r} stands there twice")
            mapping[key.value] = _plain(value)
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_plain(value) for value in node.value]
    text = str(node.value)
    if node.style in ("'", '"', "|", ">"):
        return text
    if text.lower() in _TRUTHS:
        return _TRUTHS[text.lower()]
    if text.lower() in _NULLS:
        return None
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        return text
    return float(text)
