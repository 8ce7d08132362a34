"""The table of a sweep: every model tried, its criteria, which is chosen, and how clear that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite
from typing import Any

import numpy as np

from em_cli.criteria import CROSS_VALIDATION, names, values
from em_cli.engine.events import ModelChosen, Observer
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.models.variants import Variant
from em_cli.outputs.document import Context, Scored, mclust_name, meaningful, prior_name, scored
from em_cli.outputs.left_out import CrossValidation
from em_cli.outputs.search_found import stop_reason
from em_cli.outputs.selection_fields import columns
from em_cli.outputs.tables import csv_text
from em_cli.search.ledger import Fitted, Verdict

UNRANKED = "not ranked, under a weak prior: "
LIGHT = "light"  # the search of a model that is far from the best
NOT_NEEDED = "not needed"  # the status of a model that cannot be likelier than one of fewer components
NESTED = 0.01  # nats by which a mixture may fall below one of fewer components before it is said


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    criterion: str
    rows: tuple[dict[str, Any], ...]  # in the order of the sweep
    chosen: Scored | None
    edge: str  # a warning, if the choice lies at the edge of the range
    runner_up: dict[str, Any] | None = None  # the next best row, if there is one
    context: Context | None = None  # of the choice
    unranked: tuple[tuple[dict[str, Any], str], ...] = ()  # of models without a fit to be compared, and why
    tested: bool = False  # whether the rows of the chosen structure say what one component more gains

    @property
    def chosen_row(self) -> dict[str, object]:
        return next(row for row in self.rows if row["note"].startswith("chosen"))


def table(
    fits: Sequence[Fitted],
    too_large: Sequence[tuple[str, int, str]],
    tried: Sequence[Variant],
    context: Context,
    source: Source,
    runner: Runner,
    criterion: str,
    observe: Observer,
    left_out: CrossValidation | None = None,
) -> Selection:
    """Score every fit; the smallest value of the criterion is chosen, among equals the smaller model.

    Those that were fitted with a prior for want of any other fit are ranked only where all are.
    """
    last_resort = all(fitted.chosen is None or fitted.without_prior for fitted in fits)
    rows: list[dict[str, Any]] = []
    tops: dict[str, tuple[float, int]] = {}
    candidates: list[_Ranked] = []
    heads, blank = _heads(tried), dict.fromkeys(columns(criterion)) | {"prior": "", "depth": ""}
    by_label = {variant.label: variant for variant in tried}
    for fitted in fits:
        row: dict[str, Any] = blank | heads[fitted.label]
        row |= {"k": fitted.n_components, "starts": len(fitted.started)}
        row |= {"at_best": fitted.at_best, "degenerate": fitted.count(Verdict.DEGENERATE)}
        row |= {"searches": fitted.searches, "reached": fitted.reached}
        row |= {"depth": LIGHT if fitted.lightly else "deep" if context.effort else ""}
        if fitted.enough is not None:
            row |= {"status": NOT_NEEDED, "note": f"not needed: k = {fitted.enough} is the global maximum"}
        elif fitted.chosen is None:
            row |= {"status": "failed", "note": fitted.failure}
        else:
            variant = by_label[fitted.label]
            own = replace(
                context, groups=variant.groups, latent=variant.latent, schema=variant.schema or context.schema
            )
            result = scored(replace(fitted, label=row["covariance"]), own, source, runner)
            row |= _figures(result, own, criterion, np.nan if left_out is None else left_out.of(fitted))
            if fitted.without_prior and not last_resort:
                note = UNRANKED + fitted.without_prior.why_none
                row |= dict.fromkeys(names(criterion)) | {"note": note}
            else:
                if row["prior"] == "none" and _nested(fitted):
                    compare_to_fewer(row, not any(result.degeneracies), tops)
                candidates.append(_Ranked(row[criterion], result.figures.n_parameters, len(rows), fitted, result, own))
        rows.append(row)
        found = tuple((name, row[name]) for name in names(criterion) if row[name] is not None)
        log_likelihood = row["log_likelihood"] if row["log_likelihood"] is not None else float("-inf")
        observe(ModelChosen(fitted.label or row["model"], fitted.n_components, log_likelihood, found, row["note"]))
    for label, k, why in too_large:
        rows.append(blank | heads[label] | {"k": k, "status": "failed", "note": why})
    return _selected(criterion, rows, candidates, left_out)


def _selected(
    criterion: str, rows: list[dict[str, Any]], candidates: Sequence[_Ranked], left_out: CrossValidation | None
) -> Selection:
    """The choice among the candidates, and how far the others are from it."""
    if not candidates:
        return Selection(criterion, tuple(rows), None, "")
    order = sorted(candidates, key=lambda one: (one.value, one.n_parameters, one.place))
    best = order[0]
    if left_out is not None:
        best = candidates[left_out.choice([one.fitted for one in candidates], [rows[one.place] for one in candidates])]
    compare_to_best(rows, rows[best.place], criterion)
    edge = _edge(best.fitted.n_components, sorted({row["k"] for row in rows}))
    rows[best.place]["note"] = "; ".join(
        filter(None, ["chosen", "at the edge of the range" if edge else "", rows[best.place]["note"]])
    )
    second = next((rows[one.place] for one in order if one is not best), None)
    unranked = tuple(
        (row, row["note"].removeprefix(UNRANKED))
        for row in rows
        if row[criterion] is None and row["status"] != NOT_NEEDED
    )
    return Selection(criterion, tuple(rows), best.result, edge, second, best.context, unranked)


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """A model that may be chosen."""

    value: float  # of the criterion
    n_parameters: int
    place: int  # of its row
    fitted: Fitted
    result: Scored
    context: Context


def _heads(tried: Sequence[Variant]) -> dict[str, dict[str, Any]]:
    """What models are called, by their labels: by their family too where there are several."""
    heads, several = {}, len({variant.family for variant in tried}) > 1
    laws = len({variant.latent for variant in tried}) > 1
    for variant in tried:
        name = mclust_name(variant.covariance, variant.groups)
        model = f"{variant.family} {name or ''}".rstrip() if several else name or variant.family
        model = f"{model} {variant.latent}" if laws else model
        heads[variant.label] = {"covariance": variant.covariance, "model": model, "family": variant.family}
    return heads


def _figures(result: Scored, context: Context, criterion: str, left_out: float) -> dict[str, object]:
    figures, chosen = replace(result.figures, left_out=left_out), result.fitted.chosen
    assert chosen is not None, "there is a fit to describe"
    shares = result.totals.n_effective / result.totals.n_effective.sum()
    collapse, certificate = next((c.reason for c in result.degeneracies if c), ""), result.fitted.certificate
    return {
        "log_likelihood": figures.log_likelihood,
        "n_parameters": figures.n_parameters,
        **{name: value for name, value in values(figures, criterion).items() if name in meaningful(chosen, criterion)},
        "entropy": figures.entropy,
        "smallest_share": float(shares.min()),
        "largest_share": float(shares.max()),
        "remaining": chosen.remaining,
        "optimisation_error": result.fitted.optimisation_error,
        "prior": prior_name(result),
        "status": stop_reason(chosen, context.cut_by),
        "note": collapse
        or (certificate.words if certificate and certificate.least == chosen.candidate.model.n_components else ""),
    }


def _nested(fitted: Fitted) -> bool:
    """Whether more components can only be better."""
    return fitted.chosen is not None and fitted.chosen.candidate.objective == LOG_LIKELIHOOD


def compare_to_fewer(row: dict[str, Any], sound: bool, tops: dict[str, tuple[float, int]]) -> None:
    """Mixtures of a structure are nested: none can truly be lower than one of fewer components, which comes before.

    `tops` holds the highest sound fit of each structure so far, and its number of components.
    """
    log_likelihood, k = row["log_likelihood"], row["k"]
    top, fewer = tops.get(row["model"], (float("-inf"), k))
    if log_likelihood < top - NESTED:
        row["note"] = "; ".join(filter(None, [row["note"], f"less than k = {fewer}: a better fit was not found"]))
    if sound and log_likelihood > top:
        tops[row["model"]] = log_likelihood, k


def compare_to_best(rows: Sequence[dict[str, Any]], best: Mapping[str, Any], criterion: str) -> None:
    """How far each row is from the best, and whether that is more than the searches may have missed.

    All criteria are on the scale of -2 log L, on which an error of a nat counts twice. Where nothing can
    have been missed, even a tie is clear.
    """
    for row in rows:
        if row[criterion] is None or not isfinite(row[criterion]):
            continue
        row["delta"] = row[criterion] - best[criterion]
        if row is not best:
            missed = 2 * (row["optimisation_error"] + best["optimisation_error"])
            row["clear"] = None if criterion == CROSS_VALIDATION else bool(row["delta"] > missed or missed == 0)


def _edge(k: int, tried: Sequence[int]) -> str:
    if len(tried) == 1:
        return ""
    if k == tried[-1]:
        return f"the choice, k = {k}, is the largest that was tried: widen the range (--k-range {tried[0]}-{2 * k})."
    if k == tried[0] and k > 1:
        return f"the choice, k = {k}, is the smallest that was tried: widen the range (--k-range 1-{tried[-1]})."
    return ""


def selection_text(selection: Selection) -> Iterator[str]:
    """`selection.csv`."""
    return csv_text(columns(selection.criterion, selection.tested), selection.rows)
