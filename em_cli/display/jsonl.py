"""Every event as a line of strict JSON."""

from __future__ import annotations

import json
import time
from dataclasses import fields
from datetime import UTC, datetime
from math import isfinite
from typing import Any, TextIO

from em_cli.engine.events import (
    Advanced,
    Ended,
    Finished,
    FitEvent,
    Improved,
    Iterated,
    ModelChosen,
    Observer,
    PassDone,
    RowsRead,
    name_of,
)
from em_cli.errors import OutputError, in_words

LEVELS: dict[str, tuple[type, ...]] = {
    "run": (RowsRead, Advanced, Finished, Improved, Iterated, PassDone),
    "climb": (RowsRead, Advanced, Iterated, PassDone),
    "pass": (),
}  # how closely a run is told, and the events that are then left out


class JsonLines:
    """One line per event, at once; `time` is in seconds since the display was opened, `clock` the time of day."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started = time.monotonic()
        self.gone = False  # nobody reads on, or the disk is full: that does not stop the run
        self.failure: OSError | None = None  # told at its end
        self.kinds: dict[type, tuple[str, tuple[str, ...]]] = {}

    def __enter__(self) -> Observer:
        return self.observe

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.write({"event": name_of(Ended), "completed": kind is None})
        if self.failure is not None and kind is None:
            raise OutputError(f"the events could not all be written: {in_words(self.failure)}.")

    def observe(self, event: FitEvent) -> None:
        kind = type(event)
        if kind not in self.kinds:
            self.kinds[kind] = name_of(kind), tuple(field.name for field in fields(event))
        name, names = self.kinds[kind]
        line: dict[str, object] = {"event": name} | {key: _strict(getattr(event, key)) for key in names}
        if isinstance(event, ModelChosen):
            line["criteria"] = {key: _strict(value) for key, value in event.criteria}
        self.write(line)

    def write(self, line: dict[str, object]) -> None:
        if self.gone:
            return
        line["time"] = round(time.monotonic() - self.started, 6)
        line["clock"] = datetime.now(UTC).isoformat(timespec="milliseconds")
        try:
            self.stream.write(json.dumps(line, allow_nan=False) + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self.gone = True
        except OSError as error:
            self.gone, self.failure = True, error


def _strict(value: object) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
