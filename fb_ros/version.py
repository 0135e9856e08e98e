"""The version of this package. It is stated only in `package.xml`, which colcon reads, too."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

_DESCRIPTION = Path(__file__).resolve().parent.parent / "package.xml"


def version() -> str:
    """The version, as `1.2.3`: a checkout's own, or that of the installed package."""
    if _DESCRIPTION.is_file():
        found = re.search(r"<version>\s*(.+?)\s*</version>", _DESCRIPTION.read_text("utf-8"))
        if found:
            return found[1]
    return metadata.version("fb_ros")
