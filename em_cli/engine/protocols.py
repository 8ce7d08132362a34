"""Ways to climb, places to start from and to compute in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment

if TYPE_CHECKING:
    from em_cli.engine.model import Model
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.parts_of_rows import Part
from em_cli.engine.rows import Source

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Query:
    """One E-step that an algorithm wants run: at parameters, or at the M-step of what another one found, or of
    statistics that it has put together from several.

    Those of different parameters add up only where they are `plain` sums, in no frame of reference.

    A trial becomes an iterate only if it is not lower than the last one, by the objective of its assignment.
    Parameters that are tried need not have a finite log-likelihood.
    """

    at: Parameters | Expectation | ModelStatistics
    trial: bool = False
    expected_gain: float | None = (
        None  # nats above the last iterate that the algorithm expects; None if it does not say
    )
    assignment: Assignment = SOFT
    plain: bool = False
    rows: Part | None = None  # what it is run on, which makes no iterate; None means all rows
    settles: bool = True  # whether its climb may come to rest here; if not, it goes on however little it gains

    @property
    def of_all(self) -> bool:
        """Whether it is run on all rows; if not, the log-likelihood that it is told lacks the base measure."""
        return self.rows is None or self.rows.of == 1


class Algorithm(Protocol):
    """A way to climb: it asks for E-steps and is told what they found. It computes neither step itself.

    A climb that asks no more ends where it was told last.
    """

    @property
    def objective(self) -> str:
        """What its ends are compared by: the log-likelihood, or what else it climbs."""

    @property
    def from_starts(self) -> bool:
        """Whether it is for whole climbs from plain starts, and not for the end of a search by EM and moves."""

    @property
    def on_sample(self) -> Algorithm | None:
        """What climbs in its place on a sample of the rows; None if it does so itself."""

    @property
    def from_sample(self) -> Algorithm | None:
        """What goes on in its place on all rows, from where climbs on a sample have come to; None if it does itself."""

    def refuses(self, model: Model) -> str | None:
        """Why it cannot climb in such a model, and what can; None if it can."""

    @property
    def memoryless(self) -> bool:
        """Whether it asks for nothing but the E-step at the M-step of the last answer, in the same way each time."""

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]: ...


class Start(Protocol):
    """A place to climb from: a partition of some rows, made anew from each seed."""

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers: ...


GROUP = 64  # sums of quanta that are added up before all others

Sum = TypeVar("Sum")


def sums_of(answers: Iterable[list[Sum]], add: Callable[[Sum, Sum], Sum]) -> Iterator[Sum]:
    """The sum of every GROUP of the parts that the answers hold, in their order."""
    total: Sum | None = None
    n = 0
    for answer in answers:
        for part in answer:
            total = part if total is None else add(total, part)
            n += 1
            if n == GROUP:
                yield total
                total, n = None, 0
    if total is not None:
        yield total


class Runner(Protocol):
    """A place to compute."""

    @property
    def at_once(self) -> int:
        """How many tasks it computes at a time, each of which takes memory."""

    def map(
        self, task: Callable[[Source, Shared, Item], Answer], source: Source, shared: Shared, items: Iterable[Item]
    ) -> Iterator[Answer]:
        """Answers in the order of the items, whoever computes them. What the tasks share travels to each place once."""
        ...

    def sums(
        self,
        task: Callable[[Source, Shared, Item], list[Sum]],
        add: Callable[[Sum, Sum], Sum],
        source: Source,
        shared: Shared,
        items: Sequence[Item],
    ) -> Iterator[Sum]:
        """The `sums_of` these answers, wherever they are added up."""
        ...


class OfFiles(Protocol):
    """What is to be done with files."""

    @property
    def files(self) -> tuple[str, ...]:
        """That must be seen."""


Work = TypeVar("Work", bound=OfFiles)


class Elsewhere(Protocol):
    """Processes that see the same files."""

    def in_order(self, task: Callable[[Work], Answer], items: Iterable[Work]) -> Iterator[tuple[Work, Answer | None]]:
        """The items and their answers, None of a task that failed; who does them must see the files of the first."""
        ...
