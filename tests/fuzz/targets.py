"""What is done with a random input, and the inputs to begin with."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TypeVar
from unittest import mock

import numpy as np
import tables_read
import tables_refused
from edits import VALUES, edited, places
from models import DOCUMENTS

from configs import CONFIGS
from em_cli.config.resolve import _normal, _validated
from em_cli.config.yaml_text import parse
from em_cli.display.closing import Beside
from em_cli.display.summary import fit_summary
from em_cli.errors import EmError
from em_cli.outputs.model_file import read_model
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read

T = TypeVar("T")
OPTIONS = [
    {},
    {"delimiter": ";", "decimal": ","},
    {"header": False, "missing": "drop"},
    {"thousands": ",", "comment": "#"},
    {"encoding": "latin-1", "default_type": "categorical"},
    {"encoding": "utf-16-le", "na": ("-",)},
]


def table(data: bytes) -> None:
    """The first byte chooses options; the rest is a file."""
    options = ReadOptions(**OPTIONS[data[0] % len(OPTIONS)]) if data else ReadOptions()
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data[1:]))), suppress(EmError):
        read(["-"], options)


def config(data: bytes) -> None:
    with suppress(EmError, UnicodeDecodeError):
        text = parse(data.decode(), "run.yaml")
        if isinstance(text.value, dict):
            _validated(_normal(text.value), text)


def model(data: bytes) -> None:
    """Read; then everything that is done with a model. Bytes that are no JSON choose what to change in one."""
    if data[:1] not in (b"{", b"["):
        data = chosen(data)
    with mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(data))):
        try:
            loaded = read_model("-")
        except EmError:
            return
    rng = np.random.default_rng(0)
    fit_summary(loaded.document, Beside(warnings=loaded.document.get("warnings"))).encode()
    x, _ = loaded.model.sample(loaded.parameters, 5, rng)
    for column, values in zip(loaded.schema.columns, x, strict=True):
        column.cells(values)


def chosen(data: bytes) -> bytes:
    """A document with some changes: the bytes say which."""
    choices = iter(data)

    def choose(among: Sequence[T]) -> T:
        return among[(256 * next(choices, 0) + next(choices, 0)) % len(among)]

    document = choose(list(DOCUMENTS.values()))
    for _ in range(1 + next(choices, 0) % 4):
        every = list(places(document))
        document = edited(document, choose(every), choose(VALUES)) if every else document
    return json.dumps(document).encode()


def table_seeds() -> Iterator[bytes]:
    for case in [*tables_read.CASES, *tables_refused.CASES]:
        yield b"\0" + case.bytes


def config_seeds() -> Iterator[bytes]:
    for case in CONFIGS:
        yield case.bytes


def model_seeds() -> Iterator[bytes]:
    for number, document in enumerate(DOCUMENTS.values()):
        yield json.dumps(document).encode()
        yield bytes([0, number, 3, 0, 7, 0, 9, 1, 5, 0, 8, 0, 30, 0, 11])


TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], Iterator[bytes]]]] = {
    "table": (table, table_seeds),
    "config": (config, config_seeds),
    "model": (model, model_seeds),
}
