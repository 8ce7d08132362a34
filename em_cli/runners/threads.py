"""A pool of threads; NumPy releases the interpreter lock where it matters."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Literal

from em_cli.engine.protocols import Answer, Item, Shared, Sum, sums_of
from em_cli.engine.rows import Source
from em_cli.parts import Option

MOST = 4096


@dataclass(frozen=True, slots=True)
class Threads:
    workers: Annotated[int | Literal["auto"], Option("threads; auto is one per core", least=1, most=MOST)] = "auto"
    _pool: list[ThreadPoolExecutor] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def at_once(self) -> int:
        if self.workers != "auto":
            return self.workers
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def map(
        self, task: Callable[[Source, Shared, Item], Answer], source: Source, shared: Shared, items: Iterable[Item]
    ) -> Iterator[Answer]:
        items = list(items)
        if len(items) == 1 or self.at_once == 1:
            return (task(source, shared, item) for item in items)
        if not self._pool:
            self._pool.append(ThreadPoolExecutor(self.at_once, "em"))
        return self._pool[0].map(partial(task, source, shared), items)

    def sums(
        self,
        task: Callable[[Source, Shared, Item], list[Sum]],
        add: Callable[[Sum, Sum], Sum],
        source: Source,
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Sum]:
        return sums_of(self.map(task, source, shared, items), add)
