"""A pool of threads; NumPy releases the interpreter lock where it matters."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from em_cli.engine.protocols import Answer, Item
from em_cli.engine.rows import Source


@dataclass(frozen=True, slots=True)
class Threads:
    workers: int = 2
    _pool: list[ThreadPoolExecutor] = field(default_factory=list, init=False, repr=False, compare=False)

    def map(self, task: Callable[[Source, Item], Answer], source: Source, items: Iterable[Item]) -> Iterator[Answer]:
        items = list(items)
        if len(items) == 1 or self.workers == 1:
            return (task(source, item) for item in items)
        if not self._pool:
            self._pool.append(ThreadPoolExecutor(self.workers, "em"))
        return self._pool[0].map(partial(task, source), items)
