"""What is proved of the models of a run: that none is likelier, whatever the number of components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Algorithm
from em_cli.search.ledger import SAME_OPTIMUM, Attempt, Certificate, Fitted
from em_cli.search.nonparametric import Likeliest, likeliest
from em_cli.search.survey import Survey

NONPARAMETRIC = "nonparametric"  # the start that the likeliest mixture is, whatever its number of components
PROVED = 0.01  # nats that a fit may be below it: no more than a climb may leave
NEAR = 1e-3  # nats below it, from where on a climb from it would find nothing to speak of


@dataclass(frozen=True, slots=True, eq=False)
class Proofs:
    """The likeliest mixtures of the families of some models, where they are known."""

    models: Sequence[Model]
    by_family: Mapping[int, Likeliest]

    @classmethod
    def of(cls, models: Sequence[Model], survey: Survey, algorithm: Algorithm) -> Proofs:
        one_of_each = {id(model.family): model for model in models if algorithm.objective == LOG_LIKELIHOOD}
        found = {family: likeliest(model, survey.source) for family, model in one_of_each.items()}
        return cls(models, {family: best for family, best in found.items() if best is not None})

    def needless(self, free: Sequence[bool]) -> dict[int, int]:
        """The models of more components than are enough, and how many are: where there is a free one of so many."""
        known = [(t, model, self._likeliest(t)) for t, model in enumerate(self.models) if free[t]]
        kin = {(id(model.family), model.n_components) for _, model, _ in known}
        return {
            t: best.n_components
            for t, model, best in known
            if best and best.n_components < model.n_components and (id(model.family), best.n_components) in kin
        }

    def start(self, t: int, attempts: Sequence[Attempt], sampled: bool) -> Parameters | None:
        """From where a climb ends at the maximum, of a model of enough components, if none of the attempts came near.

        They may have seen a sample of the rows, which tells nothing of all.
        """
        best, model = self._likeliest(t), self.models[t]
        if best is None or model.n_components < best.n_components:
            return None
        if not sampled and _highest(attempts) > best.at_most - NEAR:
            return None
        return best.as_start(model)

    def told(self, fits: Sequence[Fitted]) -> list[Fitted]:
        """The fits of the models, with certificates of those that are such mixtures."""
        short = {
            t: max(best.at_most - fitted.chosen.log_likelihood, 0.0)
            for t, fitted in enumerate(fits)
            if fitted.chosen is not None and (best := self._likeliest(t)) is not None
        }
        proved = [t for t, missing in short.items() if missing <= PROVED]
        least = {family: best.n_components for family, best in self.by_family.items()}
        for t in proved:
            family = id(self.models[t].family)
            least[family] = min(least[family], fits[t].n_components)
        told = list(fits)
        for t in proved:
            certificate = Certificate(least[id(self.models[t].family)], short[t])
            told[t] = replace(fits[t], certificate=certificate, doubt=None)
        return told

    def _likeliest(self, t: int) -> Likeliest | None:
        return self.by_family.get(id(self.models[t].family))


def with_nonparametric(agreement: tuple[int, int] | None, attempts: Sequence[Attempt]) -> tuple[int, int] | None:
    """How many searches were made, and reached the best, if a climb from the likeliest mixture counts as one more."""
    own = next((a.result.log_likelihood for a in attempts if a.start == NONPARAMETRIC and a.sound), None)
    if agreement is None or own is None:
        return agreement
    (made, reached), others = agreement, _highest([a for a in attempts if a.start != NONPARAMETRIC])
    return made + 1, 1 if own > others + SAME_OPTIMUM else reached + (own > others - SAME_OPTIMUM)


def _highest(attempts: Sequence[Attempt]) -> float:
    ends = (a.result.log_likelihood for a in attempts if a.sound and a.climbed and not a.sample_rows)
    return max(ends, default=-float("inf"))
