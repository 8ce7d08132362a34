"""Whether a run has too few components: bootstrap likelihood-ratio tests, each of one component more than the last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import isnan, log
from pathlib import Path

import numpy as np

from em_cli.algorithms.lbfgs import LBFGS
from em_cli.config.ranges import FEWEST_OF_TESTS, MOST_OF_TESTS
from em_cli.documents.tests_json import OneTest, Tests
from em_cli.engine.arrays import stack
from em_cli.engine.climb import FitResult
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit, run_searches
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Source
from em_cli.engine.stopping import Status, Stopping
from em_cli.errors import NoFit, UsageError
from em_cli.inference.likelihood_ratio import EFFORT, LEVEL, Gain, RatioTest, gains, in_turns, more_components
from em_cli.outputs.tables import csv_text
from em_cli.parts import build
from em_cli.postestimation.refitted import Refit, check_replicates, refit_of
from em_cli.postestimation.replicate_lines import document_before
from em_cli.runners.serial import Serial
from em_cli.runs.interruption import Halt
from em_cli.search.effort import EFFORTS
from em_cli.search.operators import parted
from em_cli.search.search import AUTO_STARTS, Plan, Task, search
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import ShortRuns
from em_cli.search.survey import survey
from em_cli.sources.store import Store
from em_cli.starts import STARTS

NO_TIME, INTERRUPTED = "no time for more", "interrupted"
ROUNDING = 1e-6  # nats by which a log-likelihood may be lower
TO_THE_END = Stopping(0.01, 2000)
COLUMNS = (
    "k0", "k1", "log_likelihood0", "log_likelihood1", "statistic", "replicates", "exceed", "p", "p_low", "p_high",
    "short", "lost", "bic_difference", "stop",
)  # fmt: skip


def to_be_tested(run: str, data: Sequence[str], up_to: int | None, wanted: int, store: Store | None = None) -> Refit:
    """`UsageError` where there can be no such tests."""
    check_replicates(wanted, FEWEST_OF_TESTS, MOST_OF_TESTS)
    refit = refit_of(run, data, "be tested by rows drawn from it", store)
    k = refit.model.n_components
    if up_to is not None and up_to <= k:
        raise UsageError(
            f"--up-to {up_to}: the run has {k} components, and {k + 1} is the first number it is tested for."
        )
    _check(refit, up_to or k + 1)
    return refit


def test_document(
    refit: Refit,
    up_to: int | None,
    wanted: int,
    seed: int,
    tell: Callable[[int, int], None] = lambda done, wanted: None,
    halt: Halt | None = None,
    before: str | None = None,
) -> Tests:
    """Tests of K against K + 1, K + 1 against K + 2, …: as far as is asked for, and p is not above the level.

    They go on from the replicates in the folder `before`, and end where it is time to.
    """
    smaller, k, tests = refit.start, refit.model.n_components, list[RatioTest]()
    halted: Callable[[], bool] = halt or _never
    last, log_likelihood = up_to or k + 1, refit.document.get("log_likelihood")
    identity = {"random_state": seed, "log_likelihood": log_likelihood}
    known = {} if before is None else gains_before(before, identity)
    while k < last:
        larger = one_more(refit, smaller, seed)
        log_likelihoods = log_likelihood_of(refit, smaller), larger.log_likelihood
        of = partial(gains_of_drawn, refit, smaller, larger.parameters, seed)
        for test in in_turns(k, log_likelihoods, wanted, of, known.get(k, ()), halted, refit.source.n_rows):
            tell(len(test.values), wanted)
        tests.append(test)
        if test.p is None or test.p > LEVEL or halted():
            break
        smaller, k = larger.parameters, k + 1
    return {
        "level": LEVEL,
        "replicates": wanted,
        "random_state": seed,
        "log_likelihood": log_likelihood,
        "tests": [row_of(refit, test, "" if halt is None else halt.reason) for test in tests],
    }


def _never() -> bool:
    return False


def _check(refit: Refit, last: int) -> None:
    """`UsageError` for models of which there are not several numbers of components, or no likelihood."""
    if refit.document.get("prior", "none") != "none":
        raise UsageError(
            "a fit under a prior is not at the maximum of the likelihood, and there is no likelihood-ratio test of it. "
            "em fit --prior none fits without."
        )
    if any(group.options.get("means") is not None for group in refit.groups):
        raise UsageError("where means are fixed, so is the number of components.")
    if why := refit.model.latent.refuses((), range(refit.model.n_components + 1, last + 1)):
        raise UsageError(f"one component more cannot be: {why}")


def log_likelihood_of(refit: Refit, parameters: Parameters) -> float:
    """Log-likelihood of the rows."""
    model = refit.model_of(parameters)
    (batch,) = one_pass([Stack(model, stack([parameters]))], refit.source, Serial())
    return float(batch.log_likelihood[0])


def one_more(refit: Refit, fewer: Parameters, seed: int) -> FitResult:
    """The best fit of one component more: as em fit searches for it, and as it is sought in replicates.

    `NoFit` where there is none as high as that of fewer.
    """
    model = refit.model_of(fewer)
    wider = replace(model, n_components=model.n_components + 1)
    known = survey(refit.source)
    starts = tuple((name, build(STARTS, name, {})) for name in AUTO_STARTS)
    effort = EFFORTS.get(str(refit.document.get("search", {}).get("effort")), EFFORTS["normal"])
    plan = Plan(LBFGS(), starts, None, TO_THE_END, seed, effort)
    (found,) = search([Task("", wider)], known, Serial(), plan)
    warm = None if found.chosen is None or any(found.degeneracies) else found.chosen.parameters
    data = SearchData(known, lambda: False)
    short, long = (ShortRuns(each, data, EFFORT, seed) for each in (model, wider))
    below = log_likelihood_of(refit, fewer)
    at = FitResult(short.candidate(fewer), fewer, below, np.zeros(model.n_components), (below,), Status.CONVERGED, 0.0)
    ((higher, _),) = run_searches([more_components(long, parted(long, [at]), warm)], refit.source, Serial())
    if higher is not None:
        end = replace(higher.candidate, algorithm=LBFGS(), start=higher.parameters)
        (last,) = fit([end], refit.source, Serial(), TO_THE_END)
        higher = last if long.data.sound(last) else higher
    if higher is None or higher.log_likelihood < below - ROUNDING:
        k = model.n_components
        raise NoFit(
            f"no sound fit of {k + 1} components is as high as that of {k}, which a test needs: its components would "
            f"rest on too few rows. em select --k-range 1-{k + 1} compares such fits by BIC."
        )
    return higher


def gains_of_drawn(refit: Refit, smaller: Parameters, larger: Parameters, seed: int, numbers: range) -> list[Gain]:
    """What the larger model gains on data sets of these numbers, drawn from the smaller."""
    model, like = refit.model_of(smaller), refit.units

    def draw(number: int) -> Source:
        return refit.drawn(smaller, like, seed, model.n_components, number)

    return gains(model, smaller, larger, draw, numbers, Serial())


def row_of(refit: Refit, test: RatioTest, cut_by: str) -> OneTest:
    """What is told of a test, which may have been cut short."""
    low, high = test.limits()
    one, more = (replace(refit.model, n_components=k).n_parameters for k in (test.k, test.k + 1))
    n_for_bic = float(refit.document.get("n_for_bic") or refit.source.n_rows)
    return {
        "k0": test.k,
        "k1": test.k + 1,
        "log_likelihood0": test.log_likelihood,
        "log_likelihood1": test.larger,
        "statistic": test.statistic,
        "replicates": len(test.values),
        "exceed": test.exceeding,
        "p": test.p,
        "p_low": low,
        "p_high": high,
        "short": sum(gain.short for gain in test.gains),
        "lost": test.lost,
        "bic_difference": (more - one) * log(n_for_bic) - test.statistic,
        "stop": _stop(test, cut_by),
        "drawn": [None if isnan(gain.statistic) else gain.statistic for gain in test.gains],
        "drawn_short": [gain.number for gain in test.gains if gain.short],
    }


def _stop(test: RatioTest, cut_by: str) -> str:
    if test.hopeless:
        return "most are lost"
    if len(test.values) == test.wanted:
        return "all were drawn"
    return "more would not tell" if test.decided else INTERRUPTED if cut_by == INTERRUPTED else NO_TIME


def gains_before(home: str, this: Mapping[str, object]) -> dict[int, list[Gain]]:
    """Those in the `tests.json` of a folder, by the number of components."""
    path = Path(home) / "tests.json"
    if not path.exists():
        return {}
    found = document_before(path, this)
    try:
        return {one["k0"]: _gains(one["drawn"], one["drawn_short"]) for one in found["tests"]}
    except (KeyError, TypeError):
        raise UsageError(f"--resume: {path} has no drawn replicates: --force begins again.") from None


def _gains(drawn: Sequence[float | None], short: Sequence[int]) -> list[Gain]:
    values = enumerate(float("nan") if value is None else float(value) for value in drawn)
    return [Gain(number, value, number in short) for number, value in values]


def test_lines(tests: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """`tests.csv`."""
    return csv_text(COLUMNS, ({name: row[name] for name in COLUMNS} for row in tests))
