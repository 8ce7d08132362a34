"""What a fit says of the components of its own rows or groups, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.config.run_config import RunConfig
from em_cli.engine.arrays import Array, Integers, n_candidates, take
from em_cli.engine.expectation import Parameters
from em_cli.engine.rows import Block, Source
from em_cli.errors import DataError, UsageError
from em_cli.inference.claimed_errors import Claims, beliefs, claims, unit_weights
from em_cli.inference.information import STEP, information, points
from em_cli.inference.three_step import Classification, ErrorTables, assigned_to
from em_cli.inference.three_steps_again import Resamples, resamples
from em_cli.outputs.model_file import LoadedModel
from em_cli.postestimation.refitted import Refit, refit_of
from em_cli.runners.serial import Serial
from em_cli.runs.read import read_options
from em_cli.sources.reader import read
from em_cli.sources.table import Data
from em_cli.sources.views import relabelled

MOST_COORDINATES = 400  # of a model, beyond which what the first step leaves open is not computed
MOST_UNITS = 2_000  # with which the model is fitted again unasked: of more, errors of classification are known well
REPLICATES = 40  # refits that correct these
RESAMPLES = 99  # for standard errors
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """Those of the fit: its rows, or its groups."""

    found: Classification
    numbers: Integers  # (n,) 0-based data row of each; of a group, that of its first
    of_rows: Integers  # (rows,) the unit of each row, or
    rows: Integers  # (rows,) its 0-based data row
    frequencies: bool
    open_errors: ErrorTables | None
    replicates: int = 0  # by which errors are corrected
    resamples: Resamples | None = None  # with which all steps are done again


@dataclass(frozen=True, slots=True)
class Wanted:
    """How units are assigned, and how often the model is fitted again; if that is not said, where units are few."""

    assignment: str
    replicates: int | None

    def many(self, n_units: int, unasked: int) -> int:
        return self.replicates if self.replicates is not None else unasked if n_units <= MOST_UNITS else 0


def units_of(run: str, loaded: LoadedModel, config: RunConfig, paths: Sequence[str], wanted: Wanted) -> Units:
    """What the rows of the fit say of their components, and how sure that is."""
    data = _fitted(loaded, config, paths)
    names = {str(component["name"]): place for place, component in enumerate(loaded.document["components"])}
    numbers = np.array([*(names.get(name, -1) for name in data.label_names), -1], np.intp)
    source = relabelled(data.source, numbers)
    ready = loaded.with_gaps if any(np.isnan(source[i].x[~loaded.gaps]).any() for i in range(len(source))) else loaded
    blocks = [source[index] for index in range(len(source))]
    posterior = _posterior(ready, ready.parameters, blocks)
    weights = np.concatenate([unit_weights(ready.model, block) for block in blocks])
    found = Classification(posterior, assigned_to(posterior, wanted.assignment), weights)
    grouped = loaded.model.latent.needs_groups
    places = data.sequences.places if data.sequences is not None else np.arange(len(data.rows))
    of_rows = data.sequences.of_rows if data.sequences is not None and grouped else places
    first = np.full(posterior.shape[1], -1, np.intp)
    rows = data.rows.all
    first[of_rows[::-1]] = rows[::-1]
    frequencies = config.data.weight_type == "frequency"
    units = Units(found, first, of_rows, rows, frequencies, _first_step(ready, found, data, blocks, frequencies))
    refit = _refit(run, paths, wanted, posterior.shape[1])
    return units if refit is None else _again(units, refit, data.source, wanted)


def _again(units: Units, refit: Refit, source: Source, wanted: Wanted) -> Units:
    """With what comes of fitting the model again: to rows drawn from it, and to resamples of the units."""
    n = units.found.posterior.shape[1]
    told = _claims(refit, wanted.assignment, wanted.many(n, REPLICATES))
    found = units if told is None else _corrected(units, told)
    drawn = resamples(
        refit.model,
        refit.start,
        source,
        Serial(),
        wanted.assignment,
        told,
        units.frequencies,
        wanted.many(n, RESAMPLES),
        SEED,
    )
    return replace(found, resamples=drawn)


def _corrected(units: Units, told: Claims) -> Units:
    """With the errors that claims come to, also where the parameters of the model are others."""
    errors, open_errors = told.corrected(units.found.errors), units.open_errors
    if open_errors is None:
        open_errors = told.around(errors)
    else:
        tables, covariance, length = open_errors
        open_errors = list(map(told.corrected, tables)), covariance, length
    found = replace(units.found, corrected=errors)
    return replace(units, found=found, open_errors=open_errors, replicates=len(told.true))


def _refit(run: str, paths: Sequence[str], wanted: Wanted, n: int) -> Refit | None:
    """None if that is not wanted, or has no sense for the run."""
    if not wanted.many(n, REPLICATES):
        return None
    try:
        return refit_of(run, paths, "tell how wrong it is about errors of classification; --replicates 0 does without")
    except UsageError:
        if wanted.replicates is None:
            return None
        raise


def _claims(refit: Refit, assignment: str, many: int) -> Claims | None:
    """What refits claim of their errors."""
    rows = refit.units

    def draw(number: int) -> Source:
        return refit.drawn(refit.start, rows, SEED, number)

    return claims(refit.model, refit.start, rows, Serial(), draw, assignment, range(many))


def _fitted(loaded: LoadedModel, config: RunConfig, paths: Sequence[str]) -> Data:
    """The rows of the fit, read as they were then."""
    columns = loaded.schema.columns
    of_all = config.data.model_copy(update={"columns": list(loaded.schema.names), "exclude": []})
    own = read_options(of_all, {column.name: column.type for column in columns}, "auto", loaded.sequential)
    regressors = [name for name in loaded.schema.names if name != loaded.response] if loaded.response else loaded.told
    own = replace(
        own,
        transforms={column.name: column.transform for column in columns if column.transform is not None},
        response=loaded.response,
        regressors=tuple(regressors),
        mean_weight_one=config.data.weight_type == "sampling",
    )
    data = read(paths, own)
    if data.schema.names != loaded.schema.names or len(data.rows) != loaded.document["n_samples"]:
        raise DataError(f"{data.name} gives other rows than the run was fitted to.")
    return data


def _posterior(loaded: LoadedModel, parameters: Parameters, blocks: Sequence[Block]) -> Array:
    """(L, n) of units."""
    return np.concatenate([beliefs(loaded.model, parameters, block) for block in blocks], axis=1)


def _first_step(
    loaded: LoadedModel, found: Classification, data: Data, blocks: Sequence[Block], frequencies: bool
) -> ErrorTables | None:
    """What the parameters of the model leave open of its components; None where that is not known."""
    model, parameters = loaded.model, loaded.parameters
    weight = (found.posterior * found.weights).sum(axis=1)[: model.n_components]
    chart = model.chart(parameters, weight)
    if chart is None or chart.coordinates(parameters).shape[-1] > MOST_COORDINATES:
        return None
    with np.errstate(all="ignore"):
        known = information(model, chart, parameters, data.source, Serial(), frequencies)
        if not np.isfinite(known.observed).all():
            return None
        left, directions = np.linalg.eigh(known.observed)
        free = left > 1e-5
        inverse = (directions[:, free] / left[free]) @ directions[:, free].T
        around = points(chart, parameters)
        moved = [_posterior(loaded, take(around, place), blocks) for place in range(n_candidates(around))]
    return list(map(found.claimed, moved)), inverse @ known.scores @ inverse, STEP
