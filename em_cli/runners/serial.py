"""This thread."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from em_cli.engine.protocols import Answer, Item, Shared
from em_cli.engine.rows import Source


@dataclass(frozen=True, slots=True)
class Serial:
    @property
    def at_once(self) -> int:
        return 1

    def map(
        self, task: Callable[[Source, Shared, Item], Answer], source: Source, shared: Shared, items: Iterable[Item]
    ) -> Iterator[Answer]:
        return (task(source, shared, item) for item in items)
