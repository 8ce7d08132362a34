"""Ways to climb, places to start from and to compute in."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment

if TYPE_CHECKING:
    from em_cli.engine.model import Model
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.rows import Source

Shared = TypeVar("Shared")
Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Query:
    """One E-step that an algorithm wants run: at parameters, or at the M-step of what another one found.

    A trial becomes an iterate only if it is not lower than the last one, by the objective of its assignment.
    Parameters that are tried need not have a finite log-likelihood.
    """

    at: Parameters | Expectation
    trial: bool = False
    expected_gain: float | None = (
        None  # nats above the last iterate that the algorithm expects; None if it does not say
    )
    assignment: Assignment = SOFT
    settles: bool = True  # whether its climb may come to rest here; if not, it goes on however little it gains


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
    def with_sample(self) -> tuple[Algorithm, Algorithm]:
        """What climbs on a sample of the rows, and what goes on from there on all."""

    @property
    def memoryless(self) -> bool:
        """Whether what it asks next depends on nothing but the last answer."""

    def iterate(self, model: Model, start: Parameters) -> Generator[Query, Expectation, None]: ...


class Start(Protocol):
    """A place to climb from: a partition of some rows, made anew from each seed."""

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers: ...


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
