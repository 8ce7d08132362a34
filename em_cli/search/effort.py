"""How hard to search."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf


@dataclass(frozen=True, slots=True)
class Effort:
    """Limits of a search. Where rows are few, a budget of work allows more than the least."""

    budget: float = 6e6  # rows times components times passes, that a stage of the search for one model may take
    starts: int = 12  # of each kind, at most
    searches: int = 6  # to the end of what split and merge moves can do
    agreement: int = 2  # origins of different kinds that must have led to the best
    generations: int = 4  # of crossover
    population: int = 8  # distinct mixtures that are kept
    tries: int = 12  # ways to part a component
    failures: int = 1  # rounds of moves without success, and a search ends
    bounces: int = 0  # numbers of components to split off and merge again
    margin: float = 45.0  # of the criterion; models of a sweep farther from the best are searched lightly
    patient: bool = True  # whether many slow climbs are waited for
    after: Effort | None = None  # what is done first

    def shared(self, n_models: int) -> Effort:
        """For each of several models, which help each other."""
        if n_models == 1:
            return self
        after = self.after and self.after.shared(n_models)
        budget, searches = self.budget / n_models**0.5, -(-self.searches // 3)
        return replace(self, budget=budget, searches=searches, patient=self.margin == inf, after=after)

    @property
    def stages(self) -> list[Effort]:
        """What is done first, and this."""
        return [*(self.after.stages if self.after else ()), self]


NORMAL = Effort()
EFFORTS = {
    "low": Effort(budget=3e5, searches=1, generations=0, population=3, tries=6),
    "normal": NORMAL,
    "high": Effort(
        budget=6e7,
        starts=24,
        searches=20,
        agreement=4,
        generations=12,
        population=16,
        tries=24,
        failures=2,
        bounces=3,
        margin=inf,
        after=replace(NORMAL, margin=inf),
    ),
}
