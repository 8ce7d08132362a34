"""`em fit` of a mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from em_cli.runs.deliver import Delivery, model_chosen
from em_cli.runs.early import write_early
from em_cli.runs.mixture_runs import Mixtures, ScoredMixture
from em_cli.runs.run import Run
from em_cli.runs.stdout import fit_text
from em_cli.search.ledger import Fitted


@dataclass(frozen=True, slots=True, eq=False)
class MixtureFit:
    """One mixture."""

    mixtures: Mixtures

    def plan(self) -> str:
        return self.mixtures.plan()

    def search(self) -> list[Fitted]:
        write_early(self.mixtures)
        return self.mixtures.search()

    def chosen(self, fits: Sequence[Fitted]) -> ChosenMixture | None:
        (fitted,) = fits
        return None if fitted.chosen is None else ChosenMixture(self.mixtures.scored(fitted))


@dataclass(frozen=True, slots=True, eq=False)
class ChosenMixture:
    """The only one."""

    own: ScoredMixture

    @property
    def run(self) -> Run:
        return self.own.run

    def warn(self) -> None:
        self.own.warn()
        self.own.mixtures.look_further([self.own.result.fitted], self.own)

    def delivery(self) -> Delivery:
        own, params = self.own, self.own.document()
        self.run.record.observe(model_chosen(params))
        return own.delivery(params, lambda written: fit_text(self.run, own.result, params, written))
