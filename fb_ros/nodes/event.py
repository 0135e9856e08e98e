"""Log lines that a person reads and a program parses."""

from __future__ import annotations

import json


def event(name: str, **fields: object) -> str:
    """`name key=value key="a text"`, the form that logfmt readers take."""
    words = [name]
    for key, value in fields.items():
        plain = not isinstance(value, str) or value.replace("_", "").isalnum()
        words.append(f"{key}={value if plain else json.dumps(value, ensure_ascii=False)}")
    return " ".join(words)
