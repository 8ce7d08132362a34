"""What the benchmarks share: clocks, tables in Markdown, and marks.

The machine may be busy: costs are CPU seconds, figures are medians of interleaved runs, and the
ratios are what counts. A mark that is missed is printed as missed; nothing here fails.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[2]
FAITHFUL = ROOT / "sample_data" / "faithful.csv"
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # this checkout's `em_cli`, and `support`

Answer = TypeVar("Answer")


def one_thread() -> None:
    """Keep BLAS and OpenMP, ours and the peers', on one thread."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def timed(task: Callable[[], Answer], clock: Callable[[], float] = time.process_time) -> tuple[float, Answer]:
    """Seconds (of CPU, all threads together, unless the clock says otherwise), and the answer."""
    begun = clock()
    answer = task()
    return clock() - begun, answer


def afresh(task: Callable[..., Answer], *arguments: object) -> Answer:
    """The answer of an interpreter of its own: what ran before may have warmed the allocator, or filled the memory."""
    with ProcessPoolExecutor(1, get_context("spawn"), one_thread) as pool:
        return pool.submit(task, *arguments).result()


walled = partial(timed, clock=time.perf_counter)


def load() -> str:
    """How busy the machine is; one busy core counts 1."""
    return f"{os.getloadavg()[0]:.1f}"


def chosen(names: Sequence[str], filters: Sequence[str]) -> list[str]:
    """The names that hold every word of a filter such as `full 1e5`, or all of them."""
    return [name for name in names if all(word in name.replace(",", " ").split() for word in filters)]


@dataclass
class Table:
    """A table of Markdown under a heading, its rows printed as they come."""

    title: str
    columns: Sequence[str]
    marks: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        print(f"\n## {self.title}\n\n{machine()}\n")
        self.row(*self.columns)
        self.row(*["---"] * len(self.columns))

    def row(self, *cells: object) -> None:
        shown = (f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in cells)
        print(f"| {' | '.join(shown)} |", flush=True)

    def at_most(self, value: float, bound: float) -> str:
        return self._mark(f"≤ {bound:g}", value <= bound)

    def at_least(self, value: float, bound: float) -> str:
        return self._mark(f"≥ {bound:g}", value >= bound)

    def _mark(self, wanted: str, met: bool) -> str:
        self.marks.append(met)
        return f"{wanted} {'✓' if met else '✗ MISSED'}"

    def close(self) -> None:
        if self.marks:
            print(f"\n{sum(self.marks)} of {len(self.marks)} marks met; load {load()} at the end", flush=True)


def machine() -> str:
    kind = platform.machine()
    if (info := Path("/proc/cpuinfo")).exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        kind = models[0] if models else kind
    return f"{time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores of {kind}, load {load()} at the start"
