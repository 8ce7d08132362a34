"""The checkpoint of a run: what it remembers of its climbs, in two files.

`ended` grows by what has ended since; `state` says how much of it counts, and where the climbs
on their way are. `state` is replaced as a whole, so that a run killed at any moment finds the
last one that was complete.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from em_cli.engine.checkpoint import Checkpointed, Packed, packed_results
from em_cli.engine.climb import FitResult
from em_cli.errors import DataError, OutputError, UsageError
from em_cli.outputs.folder import explained
from em_cli.outputs.framing import from_bytes, to_bytes

ENDED, STATE = "ended", "state"


def changed_data(run: str, before: str, now: str) -> DataError:
    """The refusal to go on with a run of data that are not the same any more, by their digests."""
    digests = f"sha256 {before[:12]}… then, {now[:12]}… now"
    return DataError(
        f"the data have changed since {run} ({digests}): --resume cannot continue it. Bring the data back as they "
        "were, or use --force to start anew."
    )


class CheckpointFile:
    """A checkpoint in a folder; it begins with what the folder holds of the same run."""

    def __init__(self, folder: Path, identity: Mapping[str, str], every: float, name: str) -> None:
        self.folder, self.identity, self.every = folder, dict(identity), every
        self.name = name  # of the run folder, for messages
        self._latest = time.monotonic()
        self._stage = -1  # the number of the `run_searches`
        self._new: list[tuple[int, int, Sequence[FitResult]]] = []
        self._open = True
        self._length = 0  # bytes of `ended` that count
        self._ended: dict[int, list[tuple[int, Packed]]] = {}
        self._state: Packed | None = None
        self.seconds = 0.0  # that the run had taken
        if (folder / STATE).exists():
            self._read()
        self._begun = time.monotonic() - self.seconds

    @property
    def continues(self) -> bool:
        """Whether it holds a part of this run."""
        return self._state is not None

    def begin(self) -> Checkpointed:
        self._stage += 1
        on_the_way = self._state if self._state and self._state.facts["stage"] == self._stage else None
        if on_the_way:
            on_the_way = Packed(on_the_way.facts["climbs"], on_the_way.arrays)
        return Checkpointed(self._ended.pop(self._stage, ()), on_the_way)

    def ended(self, search: int, results: Sequence[FitResult]) -> None:
        if self._open:
            self._new.append((self._stage, search, tuple(results)))  # the search may change its list

    def due(self) -> bool:
        return self._open and time.monotonic() - self._latest >= self.every

    def close(self) -> None:
        self._open = False

    def keep(self, on_the_way: Packed) -> None:
        if not self._open:
            return
        with explained(str(self.folder)):
            self.folder.mkdir(exist_ok=True)
            self._append()
            facts = {
                "run": self.identity,
                "stage": self._stage,
                "ended": self._length,
                "seconds": time.monotonic() - self._begun,
                "climbs": on_the_way.facts,
            }
            aside = self.folder / f"{STATE}.new"
            aside.write_bytes(to_bytes(Packed(facts, on_the_way.arrays)))
            with aside.open("rb") as file:
                os.fsync(file.fileno())
            aside.replace(self.folder / STATE)
        self._latest = time.monotonic()

    def _append(self) -> None:
        with (self.folder / ENDED).open("ab") as file:
            file.truncate(self._length)
            for stage, search, results in self._new:
                packed = packed_results(results)
                packed.facts = [stage, search, packed.facts]
                self._length += file.write(to_bytes(packed))
            file.flush()
            os.fsync(file.fileno())
        self._new.clear()

    def _read(self) -> None:
        unusable = f"the checkpoint of {self.name} is damaged: use --force to start anew."
        try:
            (state, _), *_ = from_bytes((self.folder / STATE).read_bytes())
            self._check(state.facts["run"])
            self._length = int(state.facts["ended"])
            content = (self.folder / ENDED).read_bytes()[: self._length]
            end = 0
            for packed, upto in from_bytes(content):
                stage, search, facts = packed.facts
                end = upto
                self._ended.setdefault(stage, []).append((search, Packed(facts, packed.arrays)))
        except (OSError, ValueError, KeyError, TypeError):
            raise OutputError(unusable) from None
        if end != self._length:
            raise OutputError(unusable)
        self._state, self.seconds = state, float(state.facts["seconds"])

    def _check(self, known: Mapping[str, str]) -> None:
        other = [name for name, value in self.identity.items() if known.get(name) != value]
        if other == ["data"]:
            raise changed_data(f"the unfinished run of {self.name}", known["data"], self.identity["data"])
        if other:
            raise UsageError(
                f"the unfinished run of {self.name} had another {' and another '.join(other)}: --resume cannot "
                "continue it. Ask for the same again, or use --force to start anew."
            )
