"""Whether one more component is more than chance would make of one: the bootstrap likelihood-ratio test.

McLachlan (1987). Rows are drawn from the fit of K components, and both models fitted to each such replicate: the larger
one from splits of the replicate's own smaller fit, for from the fits to the data alone it falls short more often than
in the data, and the test would reject too often. Replicates are stopped early where more would not tell (Besag &
Clifford 1991). Replicates without a sound larger fit are lost, as data without one are not tested; others take their
place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, T
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, run_apart
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.engine.stopping import Stopping
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import reach
from em_cli.search.operators import after_splits, splits_of_parents
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import ShortRuns
from em_cli.search.survey import survey
from em_cli.search.thinning import onwards

SMALLER = Stopping(0.01, 500)
LEGS = ((Stopping(0.05, 16), 3), (Stopping(0.05, 80), 2), (Stopping(0.05, 500), 1))  # and climbs that go on after each
SHORT = 0.1  # nats
AT_ONCE = 20  # replicates, after which it is asked whether more would tell
TWICE, MANIFOLD = 2, 8  # as many, and it is asked again, where some gain as much as the data; and where none does
BEARABLE = 20  # that are lost, whatever the rest
EFFORT = replace(EFFORTS["normal"], tries=24)  # ways to part a component
TOGETHER, FEWEST_TOGETHER = 80, 10  # replicates, after which it is asked whether there is time for more
ROWS = 1 << 17  # of replicates that climb together
LEVEL = 0.05  # of the test
SURE = 0.99  # that p is above it, and no more replicates are drawn

Draw = Callable[[int], Source]  # rows of the replicate of this number


@dataclass(frozen=True, slots=True)
class Gain:
    """What one more component gains in a replicate."""

    number: int
    statistic: float  # twice the difference of the log-likelihoods; NaN of a replicate that is lost
    short: bool = False  # whether a climb from the larger fit to the data ended below that from splits


@dataclass(frozen=True, slots=True)
class RatioTest:
    """Of K components against K + 1."""

    k: int
    log_likelihood: float
    larger: float  # log-likelihood of K + 1
    gains: Sequence[Gain]
    wanted: int  # replicates that are not lost

    @property
    def statistic(self) -> float:
        return 2 * (self.larger - self.log_likelihood)

    @property
    def values(self) -> Array:
        """(B,) of the replicates that are not lost."""
        values = np.array([gain.statistic for gain in self.gains], np.float64)
        kept: Array = values[~np.isnan(values)]
        return kept

    @property
    def lost(self) -> int:
        return len(self.gains) - len(self.values)

    @property
    def hopeless(self) -> bool:
        """Whether so many are lost that no others are drawn in their place."""
        return self.lost > max(BEARABLE, len(self.values))

    @property
    def exceeding(self) -> int:
        """Replicates that gain as much as the data."""
        return int((self.values >= self.statistic).sum())

    @property
    def p(self) -> float | None:
        """Of replicates and data together, so never zero; None where too many replicates are lost."""
        if self.lost > len(self.values):
            return None
        return (1 + self.exceeding) / (1 + len(self.values))

    def limits(self, level: float = 0.95) -> tuple[float, float]:
        """Between which the p-value lies that no end of replicates would give (Clopper & Pearson 1934)."""
        return binomial_limits(self.exceeding, len(self.values), level)

    @property
    def decided(self) -> bool:
        """Whether more replicates would not bring p below the level."""
        return len(self.values) > 0 and self.limits(SURE)[0] > LEVEL


def binomial_limits(successes: int, trials: int, level: float) -> tuple[float, float]:
    """The exact interval of a probability (Clopper & Pearson 1934)."""
    tail = (1 - level) / 2
    if not successes:
        return 0.0, 1 - tail ** (1 / trials) if trials else 1.0
    from scipy.special import betaincinv

    low = betaincinv(successes, trials - successes + 1, tail)
    high = betaincinv(successes + 1, trials - successes, 1 - tail) if successes < trials else 1.0
    return float(low), float(high)


def gains(
    model: Model, smaller: Parameters, larger: Parameters | None, draw: Draw, numbers: range, runner: Runner
) -> list[Gain]:
    """Of replicates of these numbers."""
    wider = replace(model, n_components=model.n_components + 1)
    sources = [draw(number) for number in numbers]
    data = [SearchData(survey(source), lambda: False) for source in sources]
    short = [ShortRuns(model, own, EFFORT, number) for number, own in zip(numbers, data, strict=True)]
    nulls = _each([_null(one, smaller) for one in short], sources, model, runner)
    sound = [place for place, (own, null) in enumerate(zip(data, nulls, strict=True)) if own.sound(null)]
    long = [ShortRuns(wider, data[place], EFFORT, numbers[place]) for place in sound]
    splits = splits_of_parents([(one, [nulls[place]]) for one, place in zip(long, sound, strict=True)]) if sound else []
    searches = [
        more_components(one, after_splits(one, own, None), larger) for one, own in zip(long, splits, strict=True)
    ]
    found = dict(zip(sound, _each(searches, [sources[place] for place in sound], model, runner), strict=True))
    return [_gain(number, nulls[place], found.get(place)) for place, number in enumerate(numbers)]


def _each(searches: Sequence[Search[T]], sources: Sequence[Source], model: Model, runner: Runner) -> list[T]:
    return run_apart(searches, sources, runner, by_density=model.latent.is_bayes_alone)


def in_turns(
    k: int,
    log_likelihoods: tuple[float, float],
    wanted: int,
    of: Callable[[range], list[Gain]],
    known: Sequence[Gain] = (),
    halted: Callable[[], bool] = lambda: False,
    n_rows: int = 1,
) -> Iterator[RatioTest]:
    """The test as replicates come, until as many as wanted are not lost, more would not tell, or there is no more time.

    Some may be known; there are AT_ONCE at least. Of how many rows each is settles how many climb together.
    """
    test, turn, together = (
        RatioTest(k, *log_likelihoods, (), wanted),
        0,
        min(TOGETHER, max(FEWEST_TOGETHER, ROWS // n_rows)),
    )
    while (kept := len(test.values)) < wanted:
        if kept == turn:
            turn = min(max((TWICE if test.exceeding else MANIFOLD) * turn, AT_ONCE), wanted)
        first, missing = len(test.gains), turn - kept
        more = known[first : first + missing] or of(range(first, first + min(together, missing)))
        test = RatioTest(k, *log_likelihoods, (*test.gains, *more), wanted)
        yield test
        if (len(test.values) == turn and test.decided) or test.hopeless or halted():
            return


def _null(short_runs: ShortRuns, smaller: Parameters) -> Search[FitResult]:
    (null,) = yield Round([short_runs.candidate(smaller)], SMALLER)
    return null


def _gain(number: int, null: FitResult, more: tuple[FitResult | None, bool] | None) -> Gain:
    """Of a replicate whose smaller fit is sound, if more is known."""
    best, short = more or (None, False)
    gained = -np.inf if best is None else best.log_likelihood - null.log_likelihood
    return Gain(number, 2 * max(0.0, gained) if gained > -SHORT else np.nan, short)


def more_components(
    wider: ShortRuns, splits: Sequence[Candidate], warm: Parameters | None
) -> Search[tuple[FitResult | None, bool]]:
    """The best sound mixture of one component more, from splits and a warm start; and whether the latter fell short."""
    climbs = [*splits, *([] if warm is None else [replace(wider.candidate(warm), number=1)])]
    best, of_warm = yield from _highest(wider, climbs, LEGS)
    return best, best is not None and warm is not None and of_warm < best.log_likelihood - SHORT


def _highest(
    wider: ShortRuns, climbs: Sequence[Candidate], legs: Sequence[tuple[Stopping, int]]
) -> Search[tuple[FitResult | None, float]]:
    """The highest sound end, and how high warm starts came; where those that go on collapse, others do."""
    (leg, many), *later = legs
    ends = yield Round(climbs, leg)
    of_warm = max((end.log_likelihood for end in ends if end.candidate.number), default=-np.inf)
    left = wider.sound(ends)
    while left and later:
        near = [end for end in left[:many] if reach(end) >= left[0].log_likelihood]
        best, of_near = yield from _highest(wider, [onwards(end) for end in near], later)
        of_warm = max(of_warm, of_near)
        if best is not None:
            return best, of_warm
        left = [end for end in left if end not in near]
    return left[0] if left else None, of_warm
