"""Every event as a line of strict JSON."""

from __future__ import annotations

import json
import re
import time
from dataclasses import fields
from math import isfinite
from typing import Any, TextIO

from em_cli.engine.events import FitEvent, ModelChosen, Observer
from em_cli.errors import OutputError


class JsonLines:
    """One line per event, at once; `time` is in seconds since the display was opened."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.started = time.monotonic()
        self.gone = False  # nobody reads on: that does not stop the run
        self.kinds: dict[type, tuple[str, tuple[str, ...]]] = {}

    def __enter__(self) -> Observer:
        return self.observe

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None or not issubclass(kind, OutputError):
            self.write({"event": "ended", "completed": kind is None})

    def observe(self, event: FitEvent) -> None:
        kind = type(event)
        if kind not in self.kinds:
            name = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
            self.kinds[kind] = name, tuple(field.name for field in fields(event))
        name, names = self.kinds[kind]
        line: dict[str, Any] = {"event": name} | {key: _strict(getattr(event, key)) for key in names}
        if isinstance(event, ModelChosen):
            line["criteria"] = {key: _strict(value) for key, value in event.criteria}
        self.write(line)

    def write(self, line: dict[str, Any]) -> None:
        if self.gone:
            return
        line["time"] = round(time.monotonic() - self.started, 6)
        try:
            self.stream.write(json.dumps(line, allow_nan=False) + "\n")
            self.stream.flush()
        except BrokenPipeError:
            self.gone = True
        except OSError as error:
            raise OutputError(f"the events cannot be written: {error.strerror or error}.") from None


def _strict(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
