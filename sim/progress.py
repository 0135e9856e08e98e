"""Progress of long commands on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from tqdm import tqdm


def progress_bar(
    items: Iterable[Any] | None = None, *, title: str, unit: str, total: int | None = None
) -> tqdm[Any]:
    """A bar with the time left; in a log file, occasional lines."""
    return tqdm(
        items,
        total=total,
        desc=title,
        unit=unit,
        disable=not title,
        mininterval=0.2 if sys.stderr.isatty() else 30.0,
    )
