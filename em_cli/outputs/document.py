"""The model document, `params.json`: a fit in the user's units, in the names of the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from em_cli import __version__
from em_cli.criteria import Figures, aic, bic, icl
from em_cli.engine.arrays import Array, map_arrays
from em_cli.engine.fit import FitResult
from em_cli.engine.protocols import Parameters, Runner, Source
from em_cli.engine.scoring import Totals, score_source
from em_cli.engine.stopping import Status
from em_cli.outputs.model_file import FORMAT, SCHEMA_VERSION, LoadedModel, model_of
from em_cli.search.ledger import Collapses, Fitted, Verdict
from em_cli.sources.schema import Schema


@dataclass(frozen=True, slots=True)
class Context:
    """What the document says of the run beside the fit."""

    schema: Schema
    family: str
    seed: int
    start: str
    effort: str | None  # of the search; None if climbs from so many starts, or from a given one, were asked for
    tol: float
    max_iter: int
    cut_by: str  # what ended the climbs that were ended early
    n_rows_read: int
    missing: str
    n_missing: Mapping[str, int]
    data_sha256: str
    config_sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A fit as it is written: its parameters as read back from the document, and the totals at exactly these."""

    fitted: Fitted
    parameters: dict[str, Any]
    loaded: LoadedModel
    totals: Totals
    figures: Figures
    collapses: Collapses


def scored(fitted: Fitted, context: Context, source: Source, runner: Runner) -> Scored:
    """Order the components by decreasing weight, then mean; write them as a document does; score that."""
    assert fitted.chosen is not None, "there is a fit to score"
    model, found = fitted.chosen.candidate.model, fitted.chosen.parameters
    means, _ = model.family.moments(found.components)
    weights = np.round(model.to_document(found)["weights"], 9)  # equal ones may differ by rounding
    order = np.lexsort((*means.T[::-1], -weights))
    ordered: Parameters = map_arrays(lambda array: array[order], found)
    parameters = _identity(context, fitted) | model.to_document(ordered)
    loaded = model_of(parameters)
    totals = score_source(loaded.model, loaded.parameters, source, runner)
    figures = Figures(
        float(totals.log_likelihood),
        model.n_parameters,
        source.n_rows,
        float(totals.entropy),
        float(totals.log_largest),
    )
    collapses = tuple(fitted.collapses[k] for k in order)
    return Scored(fitted, parameters, loaded, totals, figures, collapses)


def document(result: Scored, context: Context, warnings: list[dict[str, Any]]) -> dict[str, Any]:
    """The whole document. It holds no time, host or path: identical runs give identical bytes."""
    fitted, figures, chosen = result.fitted, result.figures, result.fitted.chosen
    assert chosen is not None, "there is a fit to write"
    n = int(figures.n_rows)
    return result.parameters | {
        "components": _components(result),
        "log_likelihood": figures.log_likelihood,
        "lower_bound": figures.log_likelihood / n,
        "n_parameters": figures.n_parameters,
        "bic": bic(figures),
        "aic": aic(figures),
        "icl": icl(figures),
        "icl_kind": "map",
        "bic_mclust": -bic(figures),
        "criterion_convention": "lower is better",
        "converged": chosen.status is Status.CONVERGED,
        "stop_reason": stop_reason(chosen, context),
        "n_iter": len(chosen.trace),
        "remaining_estimate": _finite(chosen.remaining),
        "tol": context.tol,
        "max_iter": context.max_iter,
        "floor": "resolution of the data" if result.parameters["structure"] else None,
        "floor_active": any(c is not None and c.at_floor for c in result.collapses),
        "n_samples": n,
        "n_rows_read": context.n_rows_read,
        "n_rows_dropped": context.n_rows_read - n,
        "missing_policy": context.missing,
        "n_missing": dict(context.n_missing),
        "weight_column": None,
        "sum_weights": float(n),
        "n_for_bic": n,
        "search": {
            "effort": context.effort,
            "searches": fitted.searches,
            "reached": fitted.reached,
            "starts": len(fitted.ledger),
            "failed": sum(entry.result.status is Status.DEGENERATE for entry in fitted.ledger),
            "degenerate": fitted.count(Verdict.DEGENERATE),
            "at_best": fitted.at_best,
            "log_likelihoods": [
                None if entry.sample_rows else _finite(entry.result.log_likelihood) for entry in fitted.ledger
            ],
        },
        "random_state": context.seed,
        "start": context.start,
        "data_sha256": context.data_sha256,
        "config_sha256": context.config_sha256,
        "warnings": warnings,
    }


def stop_reason(chosen: FitResult, context: Context) -> str:
    """Why the climb ended where it did."""
    return context.cut_by if chosen.status is Status.INTERRUPTED else chosen.status.value


def _identity(context: Context, fitted: Fitted) -> dict[str, Any]:
    """What kind of model it is: enough, with the parameters, to build it again."""
    names = context.schema.names
    covariance = fitted.label or None
    return {
        "format": FORMAT,
        "schema_version": SCHEMA_VERSION,
        "em_version": __version__,
        "family": context.family,
        "structure": mclust_name(covariance, context.schema),
        "covariance_type": covariance,
        "latent": "independent",
        "n_components": fitted.n_components,
        "n_features_in": len(names),
        "feature_names_in": list(names),
        "columns": [{"name": column.name, "type": column.type} for column in context.schema.columns],
    }


def mclust_name(covariance: str | None, schema: Schema) -> str | None:
    """mclust's letters for the structure; one letter in one dimension."""
    if not covariance:
        return None
    from em_cli.families.covariances import COVARIANCES

    one, more = COVARIANCES.load(covariance).mclust
    name: str = one if len(schema.indices("numeric")) == 1 else more
    return name


def _components(result: Scored) -> list[dict[str, Any]]:
    names = result.parameters["feature_names_in"]
    means, sds = result.loaded.model.family.moments(result.loaded.parameters.components)
    totals = result.totals

    def by_column(values: Array) -> dict[str, float]:
        return dict(zip(names, values.tolist(), strict=True))

    return [
        {
            "component": k + 1,
            "name": f"component {k + 1}",
            "weight": weight,
            "n_effective": float(totals.n_effective[k]),
            "n_assigned": int(totals.n_assigned[k]),
            "mean": by_column(means[k]),
            "sd": by_column(sds[k]),
            "degenerate": result.collapses[k] is not None,
        }
        for k, weight in enumerate(result.parameters["weights"])
    ]


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
