"""The learning curve as CSV, and for TensorBoard: `tensorboard --logdir RUN`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from fb_ros.errors import FbRosError

_UPDATE = "update"


class TrainingLog:
    """Appends rows to `NAME.csv` of a run's folder, and to its TensorBoard events.

    When it resumes after update `update`, it first removes the rows of later updates.
    """

    def __init__(self, folder: Path, update: int) -> None:
        self._folder, self._kept = folder, update
        purge = update + 1 if update else None
        self._writer = SummaryWriter(str(folder / "tensorboard"), purge_step=purge)
        self._headers: dict[str, list[str]] = {}
        for path in folder.glob("*.csv"):
            self._truncate(path)

    def write(self, name: str, row: Mapping[str, float]) -> None:
        """Appends a row to `NAME.csv` and the events; the row's `update` is its time."""
        path = self._folder / f"{name}.csv"
        if name not in self._headers:
            self._headers[name] = list(row)
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerow(row)
        with path.open("a", newline="", encoding="utf-8") as file:
            csv.DictWriter(file, self._headers[name], extrasaction="ignore").writerow(row)
        for key, value in row.items():
            if key != _UPDATE:
                self._writer.add_scalar(f"{name}/{key}", value, int(row[_UPDATE]))
        self._writer.flush()

    def close(self) -> None:
        """Writes TensorBoard's remaining events."""
        self._writer.close()

    def _truncate(self, path: Path) -> None:
        """Keeps the complete rows up to the update; also removes a row that was cut off while
        written."""
        try:
            with path.open(newline="", encoding="utf-8") as file:
                header, *rows = list(csv.reader(file)) or [[]]
            if not self._kept or _UPDATE not in header:
                return
            column = header.index(_UPDATE)
            rows = [
                row for row in rows if len(row) == len(header) and float(row[column]) <= self._kept
            ]
        except (ValueError, csv.Error) as error:
            raise FbRosError(
                f"{path} is no curve of a training ({error}); move it away to go on without it"
            ) from error
        self._headers[path.stem] = header
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *rows])
