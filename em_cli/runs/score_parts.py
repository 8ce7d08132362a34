"""What is written of the rows of a cluster: parts, each by whoever has scored its rows."""

from __future__ import annotations

import os
import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from em_cli.config.choices import ELSEWHERE
from em_cli.engine.protocols import GROUP, Elsewhere
from em_cli.outputs.document import Scored
from em_cli.outputs.folder import Written, explained, umask, write_flushed
from em_cli.outputs.run_folder import PARTS
from em_cli.runs.fitted_rows import responsibilities
from em_cli.sources.table import Data

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive blocks of rows, and what is to be written of them."""

    rows: str  # the file of all rows
    told: str  # the file that tells what to write
    first: int
    stop: int
    path: str

    @property
    def files(self) -> tuple[str, ...]:
        """That must be seen."""
        return (self.rows,)


def in_parts(result: Scored, config: RunConfig) -> bool:
    """Whether there are so many rows on a cluster that each writes what it scores."""
    rows = result.source
    return config.runner.name == ELSEWHERE and config.responsibilities is not False and len(rows) > GROUP


def written_in_parts(
    result: Scored, data: Data, config: RunConfig, others: Elsewhere, folder: Path
) -> Iterator[tuple[str, Written]]:
    """Have these others write what is said of the rows into a folder, GROUP blocks each: names, and what is there.

    What they cannot write is written here, where it shows why.
    """
    rows, form, n = str(result.source.place), config.responsibilities_format, len(result.source)
    handle, told = tempfile.mkstemp("", f"{Path(rows).name}.", Path(rows).parent)
    os.close(handle)
    Path(told).write_bytes(pickle.dumps((result, data, config)))
    with explained(str(folder)):
        (folder / PARTS).mkdir()
    parts = (
        Part(rows, told, first, min(first + GROUP, n), str(folder / PARTS / f"part-{first // GROUP:05}.{form}"))
        for first in range(0, n, GROUP)
    )
    for part, answer in others.in_order(written_part, parts):
        with explained(str(folder)):
            yield f"{PARTS}/{Path(part.path).name}", answer or written_part(part)
    for left in (folder / PARTS).glob(".*"):  # by who was lost on the way
        left.unlink()


def written_part(part: Part) -> Written:
    """By whoever writes it."""
    result, data, config = _told(part.told)
    path = Path(part.path)
    handle, name = tempfile.mkstemp("", f".{path.name}.", path.parent)
    os.close(handle)
    Path(name).chmod(0o666 & ~umask())
    content = responsibilities(result, data, config, config.responsibilities_format, range(part.first, part.stop))
    written = write_flushed(Path(name), content)
    Path(name).replace(path)
    return written


@lru_cache(1)
def _told(path: str) -> tuple[Scored, Data, RunConfig]:
    found: tuple[Scored, Data, RunConfig] = pickle.loads(Path(path).read_bytes())
    return found
