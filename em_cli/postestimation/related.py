"""Components of a run and other columns of its data: what these are like in each, and who belongs to which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypedDict

import numpy as np

from em_cli.config.resolve import resolve
from em_cli.config.run_config import RunConfig
from em_cli.documents.known import known_as
from em_cli.documents.relations_json import LogOdds, MeansOf, Related, Relations, SharesOf, Wald
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.documents import field
from em_cli.engine.rows import cells
from em_cli.errors import DataError, UsageError
from em_cli.families.regression.overall import root_of
from em_cli.families.regression.terms import columns_in, design_of
from em_cli.inference.three_step import (
    Estimates,
    Logit,
    Means,
    Method,
    Relation,
    Shares,
    related,
    undone,
)
from em_cli.inference.three_steps_again import ResampledEstimates, resampled
from em_cli.outputs.manifest import read_manifest
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.outputs.tables import csv_text
from em_cli.postestimation.classified_units import Units, Wanted, units_of
from em_cli.registry import did_you_mean
from em_cli.runs.plotted_rows import data_files
from em_cli.runs.read import read_options
from em_cli.sources.quoting import listed, plural, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.table import Data

METHODS, ASSIGNMENTS = ("bch", "ml"), ("modal", "proportional")
COLUMNS = ("about", "column", "component", "what", "estimate", "standard_error", "low", "high", "z", "p")
FEWEST = 5  # units in which everything is known


class Estimate(TypedDict):
    """Of one component."""

    component: int
    what: str
    estimate: float
    standard_error: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Asked:
    outcomes: tuple[str, ...]
    on: tuple[str, ...]  # terms
    method: str | None
    assignment: str
    types: Mapping[str, str]
    replicates: int | None = None  # how often the model is fitted again; None if that goes by the number of units

    def method_for(self, outcome: bool) -> Method:
        """BCH for outcomes, whose law is then of no matter; ML where components are told, which is the more precise."""
        if self.method is None:
            return "bch" if outcome else "ml"
        return "bch" if self.method == "bch" else "ml"


def relations(run: str, data: Sequence[str], asked: Asked) -> Relations:
    """The document; `UsageError` or `DataError` says what cannot be related."""
    loaded, home = read_model(run), Path(run)
    if not home.is_dir():
        raise UsageError(f"{run} is no run folder: what its components are related to stands in the data it was of.")
    manifest = read_manifest(home)
    config = resolve(None, [], {"data": manifest.get("config", {}).get("data", {})})
    _check(loaded, asked)
    paths = data_files(manifest, home, data)
    units = units_of(run, loaded, config, paths, Wanted(asked.assignment, asked.replicates))
    names = [str(component["name"]) for component in loaded.document["components"]] + list(loaded.model.latent.extra)
    if undone(units.found.errors) is None:
        empty = [name for name, n in zip(names, units.found.assigned.sum(axis=1), strict=True) if n == 0]
        raise UsageError(
            f"nobody is likeliest to be of {listed(empty)}: errors of classification cannot be undone. "
            "Use --assign proportional, or a model of fewer components."
            if empty and asked.assignment == "modal"
            else "components are so alike that errors of classification cannot be undone. Use fewer components."
        )
    outcomes = [_outcome(units, config, paths, name, asked, names) for name in asked.outcomes]
    told = [_told(units, config, paths, asked, names)] if asked.on else []
    return {
        "components": names,
        "assignment": asked.assignment,
        "n_units": units.found.posterior.shape[1],
        "units": "groups" if loaded.model.latent.needs_groups else "rows",
        "classification": units.found.errors.tolist(),
        "first_step": units.open_errors is not None,
        "replicates": units.replicates,
        "outcomes": outcomes,
        "on": told[0] if told else None,
    }


def _check(loaded: LoadedModel, asked: Asked) -> None:
    """`UsageError` for what cannot be related."""
    if not (asked.outcomes or asked.on):
        raise UsageError("related to what? --outcome y asks what y is like in each component, --on x who is in which.")
    said = ("--method", asked.method or "ml", METHODS), ("--assign", asked.assignment, ASSIGNMENTS)
    for option, value, known in said:
        if value not in known:
            raise UsageError(f"{option} {value!r} is unknown{did_you_mean(value, known)}")
    if loaded.model.n_outcomes < 2:
        raise UsageError("the model has one component: there is nothing to tell apart.")
    if loaded.ordered:
        raise UsageError(
            f"rows of latent structure {loaded.document['latent']!r} follow each other: they are no units by "
            "themselves whose components could be related to columns."
        )
    _check_columns(loaded, asked)


def _check_columns(loaded: LoadedModel, asked: Asked) -> None:
    wanted = [*asked.outcomes, *columns_in(asked.on)]
    if made_of := [name for name in wanted if name in loaded.schema.names and name not in loaded.told]:
        raise UsageError(
            f"column {made_of[0]!r} is one of those that the components were made of: what it is like in each, em show "
            "says. Relate them to others."
        )
    if strange := [name for name in asked.types if name not in wanted]:
        raise UsageError(f"--type {strange[0]}={asked.types[strange[0]]}: neither --outcome nor --on names it.")
    if asked.on and loaded.told:
        raise UsageError(
            f"{listed(loaded.told)} tell the mixing weights of this model: em show has their log-odds. --on is for "
            "models that were fitted without."
        )
    if both := [name for name in asked.outcomes if name in columns_in(asked.on)]:
        raise UsageError(f"column {both[0]!r} is in --outcome and in --on.")


def _external(
    units: Units, config: RunConfig, paths: Sequence[str], asked: Asked, own: ReadOptions
) -> tuple[Data, Integers, Array]:
    """The data, the units (m,) in which all of these columns are known, and their cells (D, m)."""
    data = read(paths, own)
    rows = data.rows.all
    place = np.full(int(max(units.rows.max(), rows.max())) + 1, -1, np.intp)
    place[rows] = np.arange(len(rows))
    x = cells(data.source, range(len(data.schema.columns)))
    known = place[units.rows]
    kept, there = np.flatnonzero(known >= 0), known[known >= 0]
    values = np.full((len(x), len(units.numbers)), np.nan)
    values[:, units.of_rows[kept]] = x[:, there]
    differs = (values[:, units.of_rows[kept]] != x[:, there]).any(axis=1)
    if differs.any():
        name = data.schema.names[int(differs.argmax())]
        raise DataError(
            f"{data.name}, column {quoted(name)}: rows of one group differ. Groups have components here: what these "
            "are related to must be the same in all rows of a group, such as its mean."
        )
    seen = np.flatnonzero(~np.isnan(values).any(axis=0))
    if len(seen) < FEWEST:
        raise DataError(f"{data.name}: {listed(data.schema.names)} is known in {plural(len(seen), 'unit')}: too few.")
    return data, seen, values[:, seen]


def _options(config: RunConfig, asked: Asked, names: Sequence[str], response: str | None) -> ReadOptions:
    """How to read columns that the fit did not look at; rows that lack a cell of them are left out."""
    types = {name: kind for name, kind in asked.types.items() if name in names}
    beside = dict.fromkeys(("weights", "labels", "sequence", "group", "order", "step", "id"))
    data = config.data.model_copy(update=beside | {"columns": list(names), "exclude": [], "transforms": {}})
    told = () if response is not None else tuple(names)
    return replace(read_options(data, types), missing="drop", response=response, regressors=told)


def _outcome(
    units: Units, config: RunConfig, paths: Sequence[str], name: str, asked: Asked, names: Sequence[str]
) -> MeansOf | SharesOf:
    """Means, or shares of levels, of a column in each component."""
    data, seen, values = _external(units, config, paths, asked, _options(config, asked, [name], name))
    column, n = data.schema.columns[0], len(names)
    method = asked.method_for(True)
    relation: Relation = (
        Shares(values[0].astype(np.intp), len(column.levels), n) if column.levels else Means(values[0], n)
    )
    found = _estimated(relation, units, method, seen)
    head = {"column": name, **_about(found, units, method, seen)}
    if column.levels:
        return known_as(SharesOf, head | _shares_document(found, column.levels, n))
    return known_as(MeansOf, head | _means_document(found, n))


def _estimated(relation: Relation, units: Units, method: Method, seen: Integers) -> Estimates | ResampledEstimates:
    found = related(relation, units.found, method, seen, units.frequencies, units.open_errors)
    again = None if units.resamples is None else resampled(relation, found.theta, units.resamples, method, seen)
    return again or found


def _about(found: Estimates | ResampledEstimates, units: Units, method: Method, seen: Integers) -> Related:
    kept = 0 if isinstance(found, Estimates) else len(found.again)
    return {
        "method": method,
        "n": len(seen),
        "n_left_out": units.found.posterior.shape[1] - len(seen),
        "resamples": kept,
        "resamples_lost": units.resamples.drawn - kept if kept and units.resamples is not None else 0,
    }


def _means_document(found: Estimates | ResampledEstimates, n: int) -> dict[str, object]:
    means, variances = found.theta[:n], found.theta[n : 2 * n]
    covariance = found.covariance[:n, :n]
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 0.0))
    pairs = []
    for a in range(n):
        for b in range(a + 1, n):
            error = float(np.sqrt(max(covariance[a, a] + covariance[b, b] - 2 * covariance[a, b], 0.0)))
            pairs.append({"components": [a + 1, b + 1], **_tested(float(means[b] - means[a]), error)})
    return {
        "kind": "means",
        "means": means.tolist(),
        "standard_errors": errors.tolist(),
        "intervals": found.interval[:, :n].T.tolist(),
        "sds": [float(np.sqrt(v)) if v > 0 else None for v in variances],
        "differences": pairs,
        "equal": wald(means, covariance, np.eye(n)[1:] - np.eye(n)[:1]),
    }


def _shares_document(found: Estimates | ResampledEstimates, levels: Sequence[str], n: int) -> dict[str, object]:
    c = len(levels)
    own = n * c
    errors = np.sqrt(np.maximum(np.diagonal(found.covariance)[:own], 0.0)).reshape(n, c)
    against = np.asarray(np.kron(np.eye(n)[1:] - np.eye(n)[:1], np.eye(c)[1:]), np.float64)
    return {
        "kind": "shares",
        "levels": list(levels),
        "shares": found.theta[:own].reshape(n, c).tolist(),
        "standard_errors": errors.tolist(),
        "intervals": np.clip(found.interval[:, :own].T, 0, 1).reshape(n, c, 2).tolist(),
        "equal": wald(found.theta[:own], found.covariance[:own, :own], against),
    }


def _told(units: Units, config: RunConfig, paths: Sequence[str], asked: Asked, names: Sequence[str]) -> LogOdds:
    """The log-odds of components, on columns."""
    data, seen, values = _external(units, config, paths, asked, _options(config, asked, columns_in(asked.on), None))
    design = design_of(asked.on, (), data.schema.names, [column.levels for column in data.schema.columns])
    raw = design.of(values)
    if not np.isfinite(raw).all():
        bad = design.names[int((~np.isfinite(raw)).any(axis=1).argmax())]
        raise DataError(f"{data.name}: --on {bad} has no value in some row: a logarithm needs numbers above 0.")
    mean = raw.mean(axis=1)
    away = raw - mean[:, None]
    root = root_of(away @ away.T / raw.shape[1], mean, design.names, "--on")
    z = np.concatenate([np.ones((1, raw.shape[1])), np.linalg.solve(root[1:, 1:], away[1:])])
    method, n, q = asked.method_for(False), len(names), len(raw)
    at_mean = _estimated(Logit(z, n), units, method, seen)
    back = np.zeros((q, q))  # coefficients of the columns as they are, from those of z
    back[1:, 1:] = np.linalg.inv(root[1:, 1:]).T
    back[0, 0], back[0, 1:] = 1.0, -mean[1:] @ back[1:, 1:]
    found = at_mean.of(np.asarray(np.kron(np.eye(n - 1), back), np.float64))
    theta, covariance = found.theta, found.covariance
    errors = np.sqrt(np.maximum(np.diagonal(covariance), 0.0)).reshape(n - 1, q)
    largest = float(np.abs(Logit(z, n).log_density(at_mean.theta)).max())
    return {
        **_about(found, units, method, seen),
        "terms": list(design.names),
        "coefficients": theta.reshape(n - 1, q).tolist(),
        "standard_errors": errors.tolist(),
        "intervals": found.interval.T.reshape(n - 1, q, 2).tolist(),
        "separated": bool(largest > 30 and np.abs(at_mean.theta).max() > 8),
        "tests": {
            term: wald(theta, covariance, _of_term(place, n, q)) for place, term in enumerate(design.names) if place
        },
    }


def _of_term(place: int, n: int, q: int) -> Array:
    """(n - 1, P) the coefficients of one term."""
    return np.asarray(np.kron(np.eye(n - 1), np.eye(q)[[place]]), np.float64)


def _tested(estimate: float, error: float) -> dict[str, object]:
    from scipy.special import ndtr

    z = estimate / error if error > 0 else None
    return {
        "estimate": estimate,
        "standard_error": error if error > 0 else None,
        "z": z,
        "p": None if z is None else float(2 * ndtr(-abs(z))),
    }


def wald(theta: Array, covariance: Array, contrasts: Array) -> Wald | None:
    """Wald's test that all contrasts are zero; None where the covariance has no room for it."""
    from scipy.special import chdtrc

    values, spread = contrasts @ theta, contrasts @ covariance @ contrasts.T
    scale = np.sqrt(np.maximum(np.diagonal(spread), 0.0))
    if not (scale > 0).all() or np.linalg.cond(spread / np.outer(scale, scale)) > 1e10:
        return None
    statistic, df = float(values @ np.linalg.solve(spread, values)), len(values)
    if not 0 <= statistic < np.inf:  # of a covariance that rounding has left indefinite
        return None
    return {"statistic": statistic, "df": df, "p": float(chdtrc(df, statistic))}


def table(document: Relations) -> Iterator[str]:
    """The estimates as CSV."""
    return csv_text(COLUMNS, _lines(document))


def _lines(document: Relations) -> Iterator[dict[str, object]]:
    for one in document["outcomes"]:
        whats = one["levels"] if one["kind"] == "shares" else ["mean"]
        for line in _estimates(one, one["kind"], whats, 1):
            yield {"about": "outcome", "column": one["column"], **line, "z": None, "p": None}
    if (on := document["on"]) is not None:
        for line in _estimates(on, "coefficients", on["terms"], 2):
            yield {"about": "on", "column": None, **line, **_tested(line["estimate"], line["standard_error"])}


def _estimates(one: MeansOf | SharesOf | LogOdds, kind: str, whats: Sequence[str], first: int) -> Iterator[Estimate]:
    """Each of them by itself, from this component on."""
    shape = (-1, len(whats))
    errors, ranges = np.reshape(one["standard_errors"], shape), np.reshape(one["intervals"], (*shape, 2))
    for (k, place), estimate in np.ndenumerate(np.reshape(field(one, kind), shape)):
        low, high = ranges[k, place].tolist()
        yield {
            "component": k + first,
            "what": whats[place],
            "estimate": float(estimate),
            "standard_error": float(errors[k, place]),
            "low": low,
            "high": high,
        }
