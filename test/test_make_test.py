"""`make test` leaves no test out."""

from __future__ import annotations

from pathlib import Path

from test.conftest import ALONE


def test_what_runs_alone_lies_where_make_looks_for_it(root: Path) -> None:
    lines = (root / "Makefile").read_text().splitlines()
    (line,) = [line for line in lines if "pytest -m alone" in line]
    folders = tuple(f"{word}/" for word in line.split() if word.startswith("test/"))
    assert folders
    for name in ALONE:
        assert (root / "test" / name).exists()
        assert f"test/{name}".startswith(folders)
