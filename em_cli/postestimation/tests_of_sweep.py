"""Tests of K components against K + 1 in a sweep: of the structure that was chosen, by the fits that it found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

from em_cli.documents.known import known_as
from em_cli.documents.params_json import ComponentTest, Params, Tested
from em_cli.engine.climb import FitResult
from em_cli.engine.events import Advanced, PhaseStarted
from em_cli.inference.likelihood_ratio import LEVEL, in_turns
from em_cli.outputs.document import Context
from em_cli.outputs.manifest import to_json
from em_cli.outputs.selection_fields import TEST_COLUMNS
from em_cli.postestimation.component_tests import ROUNDING, gains_of_drawn, row_of, test_lines
from em_cli.postestimation.refitted import Refit
from em_cli.runs.mixture_runs import ScoredMixture
from em_cli.runs.mixture_sweep import Swept
from em_cli.runs.run import Run
from em_cli.runs.tasks import Tasks
from em_cli.search.ledger import Fitted

IN_TABLE = ("statistic", "replicates", "exceed", "p", "stop")  # of a test, as TEST_COLUMNS
IN_DOCUMENT = ("k0", "k1", *IN_TABLE)


def tested_sweep(chosen: ScoredMixture, swept: Swept, params: Params) -> tuple[Swept, Tested]:
    """The sweep with the files of its tests and a table that tells them, and what the document tells of them.

    From the fewest components up to those that were chosen, and on for as long as p is not above the level.
    """
    run, context, best = chosen.run, chosen.context, chosen.result.fitted.chosen
    assert best is not None, "what is chosen has a fit"
    fits, selection, wanted = swept.fits, swept.selection, chosen.mixtures.wanted
    label, k = chosen.result.fitted.label, chosen.result.fitted.n_components
    variant = wanted.variant_of(context.groups, label, context.latent)
    own = sorted((one for one in fits if one.label == variant.label), key=lambda one: one.n_components)
    before, found = run.halt.reason, dict[int, dict[str, Any]]()  # by K
    with run.record.timed("tests", shown=False):
        refit = _refit(wanted, best, context, params)
        for fewer, more in pairwise(own):
            if run.halt() or _told(found, k, fewer.n_components):
                break
            if more.n_components == fewer.n_components + 1:
                found[fewer.n_components] = pair_tested(run, refit, fewer, more)
    if run.halt.reason != before:
        run.warn_of_halt()
    tests = [one for one in found.values() if one["statistic"] is not None]
    document = {
        "level": LEVEL,
        "replicates": run.settings.config.replicates,
        "random_state": run.settings.config.seed,
        "log_likelihood": params["log_likelihood"],
        "tests": tests,
    }
    of_fits = [found.get(one.n_components) if one.label == variant.label else None for one in fits]
    rows = [row | _in_table(test) for row, test in zip(selection.rows, of_fits, strict=False)]
    told = [known_as(ComponentTest, {name: one[name] for name in IN_DOCUMENT}) for one in found.values()]
    files: dict[str, Iterable[str]] = {"tests.csv": test_lines(tests), "tests.json": [to_json(document)]}
    whole = (*rows, *selection.rows[len(rows) :])
    tested = Swept(fits, replace(selection, rows=whole, tested=True), files)
    return tested, {"component_tests": told, "warnings": run.record.warnings}


def _told(found: Mapping[int, Mapping[str, Any]], chosen: int, fewer: int) -> bool:
    """Whether what there is tells enough: the choice is tested, and p is above the level, or there is none."""
    last = list(found.values())[-1]["p"] if found else None
    return fewer > chosen and bool(found) and (last is None or last > LEVEL)


def _refit(wanted: Tasks, at: FitResult, context: Context, params: Params) -> Refit:
    """What the fits of the sweep were fitted to, and one of them."""
    model, source = at.candidate.model, wanted.survey.source
    return Refit("", params, context.schema, context.groups, model, at.parameters, source)


def pair_tested(run: Run, refit: Refit, fewer: Fitted, more: Fitted) -> dict[str, object]:
    """A test, or why there is none."""
    if why := _unsound(fewer) or _unsound(more):
        return _no_test(fewer.n_components, why)
    assert fewer.chosen is not None and more.chosen is not None, "sound models have fits"
    k, log_likelihoods = fewer.n_components, (fewer.chosen.log_likelihood, more.chosen.log_likelihood)
    if log_likelihoods[1] < log_likelihoods[0] - ROUNDING:
        return _no_test(k, f"the fit of k = {k + 1} is below that of k = {k}: a better one was not found")
    many, seed, observe = run.settings.config.replicates, run.settings.config.seed, run.record.observe
    observe(PhaseStarted(f"test of {k + 1} against {k} components", 0, many, begins=0.0, ends=1.0))
    drawn = partial(gains_of_drawn, refit, fewer.chosen.parameters, more.chosen.parameters, seed)
    done = 0
    for test in in_turns(k, log_likelihoods, many, drawn, (), run.halt, refit.source.n_rows):
        for number in range(done, len(test.values)):
            observe(Advanced(number, 1.0))
        done = len(test.values)
    return dict(row_of(refit, test, run.halt.reason))


def _unsound(fitted: Fitted) -> str:
    """Why a fit takes no part; "" if it does."""
    if fitted.chosen is None or fitted.without_prior is not None or any(fitted.degeneracies):
        return f"k = {fitted.n_components} has no sound fit"
    return ""


def _no_test(k: int, why: str) -> dict[str, object]:
    return {"k0": k, "k1": k + 1, "statistic": None, "replicates": 0, "exceed": 0, "p": None, "stop": f"no test: {why}"}


def _in_table(test: Mapping[str, object] | None) -> dict[str, object]:
    if test is None:
        return dict.fromkeys(TEST_COLUMNS)
    if test["statistic"] is None:
        return dict.fromkeys(TEST_COLUMNS) | {"test_stop": test["stop"]}
    return dict(zip(TEST_COLUMNS, (test[name] for name in IN_TABLE), strict=True))
