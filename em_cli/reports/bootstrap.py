"""What chance makes of the distances between rows and model: rows are drawn from it, and it is fitted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.documents.known import known_as
from em_cli.documents.params_json import Params
from em_cli.engine.arrays import Array
from em_cli.engine.climb import Candidate
from em_cli.engine.documents import field
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.stopping import Status, Stopping
from em_cli.models.given import blank_and_labels, with_described
from em_cli.models.variants import model_again
from em_cli.reports.distances import Classes, Distance, distances
from em_cli.reports.finished_run import FinishedRun
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

REPLICATES = 29  # beyond the farthest of which chance gets once in thirty
MOST_ROWS = 1000  # of a replicate; of more, distances shrink as the root of their number
DRAWN = 10  # times as many rows from a replicate's model stand for its distribution: chance is 5 % larger than alone
PASSES = Stopping(tolerance=0.5, max_iterations=6)  # of EM, from the parameters that a replicate was drawn from


@dataclass(frozen=True, slots=True)
class Limits:
    """What each distance would stay below in 29 reports of 30, all together, were the model true."""

    values: Sequence[float]  # NaN where too few replicates have all of the distances
    collapsed: int = 0  # replicates whose refit did; they are compared with the model that they were drawn from


def limits(run: FinishedRun, classes: Sequence[Classes], found: Sequence[Distance]) -> Limits:
    """By parametric bootstrap (Efron 1985): what was fitted to the rows is fitted to every replicate too."""
    rng, n = np.random.default_rng(20), min(run.shown.n, MOST_ROWS)
    replicates = [_replicate(run, n, rng) for _ in range(REPLICATES)]
    collapsed = sum(fitted is None for _, fitted in replicates)
    values = [[d.value for d in distances(fitted or rows, classes, DRAWN * n)] for rows, fitted in replicates]
    drawn = np.array([each for each in values if len(each) == len(found)])
    if not len(found) or len(drawn) < REPLICATES // 2:
        return Limits([float("nan")] * len(found), collapsed)
    mean, sd = drawn.mean(axis=0), drawn.std(axis=0, ddof=1)
    limit: Array = (mean + _farthest(drawn) * sd) * np.sqrt(n / run.shown.n)
    return Limits([min(1.0, float(one)) for one in limit], collapsed)


def _farthest(drawn: Array) -> float:
    """How many standard deviations from the mean of the others any distance of any replicate (B, S) is, at most.

    Of the others: so each stands to them as the distances of the data do.
    """
    found = 0.0
    for number, own in enumerate(drawn):
        others = np.delete(drawn, number, axis=0)
        sd = others.std(axis=0, ddof=1)
        found = max(found, float(((own - others.mean(axis=0)) / np.where(sd > 0, sd, np.inf)).max()))
    return found


def _replicate(run: FinishedRun, n: int, rng: np.random.Generator) -> tuple[FinishedRun, FinishedRun | None]:
    """Rows from the model that lack the cells which rows of the data lack, and the model fitted to them.

    None if that collapsed.
    """
    beside = len(run.described) < len(run.schema.columns)  # what tells mixing weights is that of the rows
    told = beside and not run.model.latent.needs_groups
    x = np.zeros(0) if told else run.model.sample(run.parameters, n, rng)[0]
    kept = np.sort(rng.choice(run.shown.n, n, replace=False))
    if told:
        own = run.model, run.parameters, run.described
        x = with_described(*own, *blank_and_labels(*own, run.shown.x[:, kept], rng), rng)
    x[np.isnan(run.shown.x[:, kept])] = np.nan
    weights = None if run.shown.weights is None else run.shown.weights[kept]
    drawn = replace(run, rows=replace(run.shown, x=x, weights=weights, numbers=kept + 1))
    if not _refits(run):
        return drawn, drawn
    source = InMemory(x, weights)
    model = model_again(run.document, run.schema, run.groups, source)
    result = fit([Candidate(model, EM(), model.from_document(run.document), 0)], source, Serial(), PASSES)[0]
    if result.status is Status.DEGENERATE or not np.isfinite(result.log_likelihood):
        return drawn, None
    return drawn, _under(drawn, model, result.parameters)


def _refits(run: FinishedRun) -> bool:
    """Whether the rows are those, all of them, that the parameters were fitted to, and nothing else told of these."""
    labels = run.manifest.get("config", {}).get("data", {}).get("labels")
    return run.shown.n == run.shown.n_fitted and not run.model.latent.needs_groups and labels is None


def _under(run: FinishedRun, model: Model, parameters: Parameters) -> FinishedRun:
    """The run with other parameters."""
    document = dict(run.document) | model.to_document(parameters)
    if "groups" in run.document:
        groups = zip(run.document["groups"], field(document, "groups"), strict=True)
        document["groups"] = [{**one, **own} for one, own in groups]
    return replace(run, document=known_as(Params, document), parameters=run.model.from_document(document))
