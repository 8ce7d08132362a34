"""This thread."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.protocols import Answer, Item, Shared, Sum, sums_of
from em_cli.engine.rows import Source


@dataclass(frozen=True, slots=True)
class Serial:
    at_once: ClassVar[int] = 1

    def map(
        self, task: Callable[[Source, Shared, Item], Answer], source: Source, shared: Shared, items: Iterable[Item]
    ) -> Iterator[Answer]:
        return (task(source, shared, item) for item in items)

    def sums(
        self,
        task: Callable[[Source, Shared, Item], list[Sum]],
        add: Callable[[Sum, Sum], Sum],
        source: Source,
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Sum]:
        return sums_of(self.map(task, source, shared, items), add)
