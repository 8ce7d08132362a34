"""The verdict on every start of a model, and the fit that is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from math import inf, isfinite

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, flat, stack, take
from em_cli.engine.climb import FitResult
from em_cli.engine.expectation import Parameters
from em_cli.engine.family import Degeneracy
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.engine.stopping import Status
from em_cli.search.survey import Survey

Degeneracies = tuple[Degeneracy | None, ...]  # of the components of one result; all None for a sound one

SURELY = 1 - 1e-9  # of a bound, within which rounding does not matter
SEARCH = "search from "  # a start of this kind, or an offspring
SAME_OPTIMUM = 0.05  # nats; ends closer than this are taken for one optimum
CHANCE = 10.0  # a climb may yet gain this many times what its trace promises
DOUBT = 1.5  # times; of 71 light searches that had missed more than half a nat, 66 had missed no more than twice this
MARGIN = 3.0  # nats more than that, and it is out of the running


class Verdict(Enum):
    BEST = "best"
    SAME = "same optimum"
    WORSE = "worse"
    DEGENERATE = "degenerate"
    STOPPED = "stopped early"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One start, and how it ended."""

    result: FitResult
    start: str  # how it was made
    seed: tuple[int, ...]
    verdict: Verdict
    collapse: Degeneracy | None = None  # the first of its components that is degenerate
    sample_rows: int = 0  # that its climb has seen, on which its log-likelihood is; 0 means all

    @property
    def reason(self) -> str:
        return self.collapse.reason if self.collapse else ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A proof that no mixture, whatever the number of components, is likelier by more than a little."""

    least: int  # components with which that is so
    short: float  # nats by which another may be likelier

    @property
    def words(self) -> str:
        return f"global maximum for every k ≥ {self.least}"


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model with its chosen fit (None if no start gave one) and the ledger of its starts."""

    label: str
    n_components: int
    chosen: FitResult | None
    degeneracies: Degeneracies  # of the components of the chosen fit
    ledger: tuple[Entry, ...]
    failure: str = ""  # why there is no fit
    searches: int = 0  # made for it, or climbs where there was no more than that
    reached: int = 0  # how many of them ended at the best
    without_prior: Fitted | None = (
        None  # of one that is fitted with a weak prior for want of any other fit: that search
    )
    doubt: float | None = None  # nats that a light search may have missed; None of one that went to its end
    led: int | None = None  # starts that led to the best by way of a sample; None where each climbed for itself
    certificate: Certificate | None = None  # of one that is proved to be the likeliest mixture there is
    enough: int | None = None  # the number of components with which no more are needed: of a model that has more

    @property
    def lightly(self) -> bool:
        """Whether it was left where others were so much better that it could hardly be chosen."""
        return self.doubt is not None

    @property
    def why_none(self) -> str:
        """Why there is no fit, by the first of its starts."""
        return first_reason(self.ledger) if self.ledger else self.failure

    @property
    def optimisation_error(self) -> float:
        """Nats by which the log-likelihood may fall short of the best: what is proved, if anything is; else what the
        climb has left, and, where one search only came here, how far the next best is below; of a light search, what
        it may have missed."""
        if self.chosen is None:
            return float("inf")
        if self.certificate is not None:
            return self.certificate.short
        if self.doubt is not None:
            return self.chosen.remaining + self.doubt
        ends = [e.result.objective for e in self.ledger if e.verdict is Verdict.WORSE]
        doubt = self.chosen.objective - max(ends) if self.reached == 1 and ends else 0.0
        return self.chosen.remaining + doubt

    @property
    def started(self) -> tuple[Entry, ...]:
        """The climbs from starts; not those that went on from where some of these ended on a sample."""
        return tuple(entry for entry in self.ledger if entry.sample_rows) or self.ledger

    @property
    def at_best(self) -> int:
        if self.led is not None:
            return self.led
        return sum(entry.verdict in (Verdict.BEST, Verdict.SAME) for entry in self.ledger)

    def led_by(self, finishers: Sequence[Attempt], apart: float) -> int:
        """Starts whose climb on a sample ended where one of those did that went on from there to the best."""
        ends = zip(finishers, self.ledger[len(self.ledger) - len(finishers) :], strict=True)
        best = [before.result for before, end in ends if end.verdict in (Verdict.BEST, Verdict.SAME)]
        return sum(
            any(abs(own.objective - one.objective) <= apart + own.remaining + one.remaining for one in best)
            for entry in self.ledger
            if entry.sample_rows and entry.verdict is Verdict.STOPPED
            for own in [entry.result]
        )

    def count(self, verdict: Verdict) -> int:
        return sum(entry.verdict is verdict for entry in self.ledger)


def first_reason(ledger: Sequence[Entry]) -> str:
    """Why the first of the starts that degenerate did so."""
    return next((entry.reason for entry in ledger if entry.reason), "it did not converge")


def unpenalised(result: FitResult) -> float:
    """The log-likelihood of a climb, without what a prior adds to it."""
    model = result.candidate.model
    return result.log_likelihood - float(np.sum(model.log_prior(stack([result.parameters]))))


def reach(result: FitResult) -> float:
    """How high a climb that was stopped early may yet come."""
    return result.objective + MARGIN + CHANCE * result.remaining


def dead(result: FitResult) -> Degeneracies:
    """Of a climb that gave no mixture."""
    return (Degeneracy(result.reason or "it did not start", True),)


def _judged(alike: Sequence[FitResult], parameters: Parameters, support: Array) -> dict[int, Degeneracies]:
    """The verdicts on results of one model, by their identity, with the support (R, K) of their components."""
    k = support.shape[1]
    every = alike[0].candidate.model.family.degenerate(flat(parameters.components), support.ravel())
    return {id(result): tuple(every[r * k : (r + 1) * k]) for r, result in enumerate(alike)}


class DegeneracyCheck:
    """Tells which components of a result are degenerate, by the distinct rows that they rest on."""

    def __init__(self, survey: Survey, runner: Runner) -> None:
        self.source = survey.once()
        self.runner = runner
        plain = survey.copies is not None and not survey.weighted and survey.block.labels is None
        self.most_alike = float(survey.copies.rows.max()) if plain and survey.copies is not None else None

    def __call__(self, results: Sequence[FitResult]) -> list[Degeneracies]:
        models: dict[int, list[FitResult]] = {}
        for result in results:
            if result.status is not Status.DEGENERATE and isfinite(result.log_likelihood):
                models.setdefault(id(result.candidate.model), []).append(result)
        found: dict[int, Degeneracies] = {}
        for alike in models.values():
            model, parameters = alike[0].candidate.model, stack([result.parameters for result in alike])
            if model.prior or model.has_conjugate_prior:  # it bears what rows do not
                found |= _judged(alike, parameters, np.full((len(alike), model.n_components), np.inf))
                continue
            if (least := self._least_support(model, alike)) is not None:
                found |= _judged(alike, parameters, least)
                unsure = np.flatnonzero([any(found[id(result)]) for result in alike])
                alike, parameters = [alike[r] for r in unsure], take(parameters, unsure)
            if alike:
                found |= _judged(alike, parameters, self._support(model, parameters, alike))
        return [found.get(id(result)) or dead(result) for result in results]

    def _least_support(self, model: Model, results: Sequence[FitResult]) -> Array | None:
        """No more than the support (R, K), whose want shows who need not be looked at: no component becomes degenerate
        by more rows. None where the rows that EM counted do not tell.
        """
        by_em = all(isinstance(r.candidate.algorithm, EM) and r.candidate.weights is None for r in results)
        if self.most_alike is None or not by_em or model.latent.needs_groups:
            return None
        return np.stack([result.weight for result in results]) * (SURELY / self.most_alike)

    def _support(self, model: Model, parameters: Parameters, results: Sequence[FitResult]) -> Array:
        """The distinct rows (R, K) on which the components rest."""
        if self.source is None:
            return np.stack([result.weight for result in results])
        (batch,) = one_pass([Stack(model, parameters)], self.source, self.runner)
        return batch.statistics.weight


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A start and where it led: to the end of its climb, or to where the search gave it up."""

    result: FitResult
    start: str
    seed: tuple[int, ...]
    degeneracies: Degeneracies
    climbed: bool
    sample_rows: int = 0  # that the climb has seen; 0 means all
    way: FitResult | None = None  # the end of the climb whose way this one went when it was left

    @property
    def bound_for(self) -> float:
        """The log-likelihood to which it climbed, or would have."""
        return (self.way or self.result).log_likelihood

    @property
    def sound(self) -> bool:
        return not any(self.degeneracies)

    @property
    def collapse(self) -> Degeneracy | None:
        return next((collapse for collapse in self.degeneracies if collapse), None)

    @property
    def held_up(self) -> bool:
        """Whether a component has no width but what the resolution of the data gives it."""
        return any(collapse and collapse.at_resolution for collapse in self.degeneracies)

    @property
    def usable(self) -> bool:
        """Whether it is a fit where none is sound: one with a prior, or of a single component, has come to its end."""
        model = self.result.candidate.model
        ended = self.result.status is not Status.DEGENERATE and isfinite(self.result.log_likelihood)
        return ended and (model.prior > 0 or (model.n_components == 1 and model.family.penalty is None))


def collapsed_before(result: FitResult, attempts: Sequence[Attempt]) -> bool:
    """Whether another search collapsed at the same log-likelihood, from which repair led back or nowhere."""
    lost = (a.result for a in attempts if a.climbed and not a.sound and a.start.startswith(SEARCH))
    return any(r is not result and abs(r.log_likelihood - result.log_likelihood) < SAME_OPTIMUM for r in lost)


def doubted(best: FitResult, attempts: Sequence[Attempt], kinds: Sequence[str]) -> float:
    """Nats that a light search may have missed: how far the best is above what other starts came to by themselves.

    Offspring of other mixtures are no witnesses: they share their ancestors.
    """
    tops: dict[str, float] = {}
    for a in attempts:
        if a.sound:
            tops[a.start] = max(tops.get(a.start, -inf), a.bound_for)
    winner = max(tops, key=lambda kind: tops[kind], default="")
    others = {kind: top for kind, top in tops.items() if kind != winner}
    witnesses = [top for kind, top in others.items() if kind in kinds] or list(others.values())
    return DOUBT * max(0.0, best.log_likelihood - max(witnesses)) if witnesses else inf


def agreed(attempts: Sequence[Attempt]) -> tuple[int, int] | None:
    """How many searches were made, and how many came to the best end; None if no sound end was found.

    A search is what was made of the starts of one kind, or of the offspring of one kind;
    further searches from the same kind count for themselves.
    """
    ended = [a for a in attempts if a.sound and (a.climbed or a.start.startswith(SEARCH))]
    if not ended:
        return None
    kinds = {a.start.removeprefix(SEARCH) for a in ended if a.start.startswith(SEARCH)}
    first = {kind: min(a.seed[0] for a in ended if a.start == SEARCH + kind) for kind in kinds}
    reached = dict[tuple[str, int], float]()
    for attempt in ended:
        kind = attempt.start.removeprefix(SEARCH)
        line = kind, first.get(kind, 0) if kind == attempt.start else attempt.seed[0]
        reached[line] = max(reached.get(line, -inf), attempt.result.log_likelihood)
    best = max(reached.values())
    return len(reached), sum(best - own < SAME_OPTIMUM for own in reached.values())


def choose(
    label: str, n_components: int, attempts: Sequence[Attempt], agreement: tuple[int, int] | None = None
) -> Fitted:
    """Choose the highest end that is not degenerate, and say of each start what became of it.

    Where every end is degenerate none is chosen, unless there is a prior, which is the last resort.
    The agreement tells how many searches there were and how many reached the best; where there is
    none every climb that ended was one.
    """
    ended = sorted((a for a in attempts if a.climbed), key=lambda a: -a.result.objective)
    last_resort = sorted((a for a in ended if a.usable), key=lambda a: a.held_up)
    chosen = next((a for a in ended if a.sound), None) or next(iter(last_resort), None)
    ledger = tuple(Entry(a.result, a.start, a.seed, _verdict(a, chosen), a.collapse, a.sample_rows) for a in attempts)
    searches, reached = agreement or (
        len(ended),
        sum(entry.verdict in (Verdict.BEST, Verdict.SAME) for entry in ledger),
    )
    if chosen is None:
        failure = f"every start degenerate: {first_reason(ledger)}" if ledger else "there was no start"
        return Fitted(label, n_components, None, (), ledger, failure, searches)
    return Fitted(label, n_components, chosen.result, chosen.degeneracies, ledger, "", searches, reached)


def _verdict(attempt: Attempt, chosen: Attempt | None) -> Verdict:
    if attempt is chosen:
        return Verdict.BEST
    apart = abs(attempt.result.objective - chosen.result.objective) if chosen else float("inf")
    if attempt.climbed and apart < SAME_OPTIMUM:
        return Verdict.SAME
    if not attempt.sound:
        return Verdict.DEGENERATE
    return Verdict.WORSE if attempt.climbed else Verdict.STOPPED
