"""How far the numbers of a run may be off, by fitting it again to resampled rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.model import Model
from em_cli.errors import UsageError
from em_cli.inference.intervals import MOST_DOUBTFUL, MOST_LOST, fixed, interval
from em_cli.inference.replicates import KINDS, Replicate, Verdict, drawn_replicates, replicates
from em_cli.inference.standard_errors import BESIDE, described, leaves, numbers_of
from em_cli.outputs.tables import csv_text
from em_cli.postestimation.refitted import refit_of
from em_cli.registry import did_you_mean
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

USUAL, FEWEST = 399, 20  # replicates
MOST = 100_000
FEWEST_UNITS = 10  # groups or sequences of rows that are drawn
OF_REPLICATES = ("replicate", "log_likelihood", "passes", "verdict", "margin")
COLUMNS = (
    "parameter", "component", "column", "estimate", "se_observed", "se_robust", "se_bootstrap", "mc_error",
    "low", "high", "scale", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """The intervals of a run, and the replicates that they are from."""

    document: dict[str, Any]
    names: tuple[str, ...]  # of the numbers
    found: Sequence[Replicate]
    values: Array  # (B, M)

    def files(self) -> dict[str, Iterator[str]]:
        """The two tables, by name."""
        return {
            "intervals.csv": csv_text(COLUMNS, self.document["intervals"]),
            "bootstrap.csv": csv_text((*OF_REPLICATES, *self.names), self._each()),
        }

    def _each(self) -> Iterator[dict[str, Any]]:
        for one, values in zip(self.found, self.values.tolist(), strict=True):
            told = {
                "replicate": one.number + 1,
                "log_likelihood": one.result.log_likelihood,
                "passes": len(one.result.trace),
                "verdict": one.verdict.value,
                "margin": one.margin,
            }
            yield told | dict(zip(self.names, values, strict=True))


def resampled(run: str, data: Sequence[str], kind: str, wanted: int | None, level: float, seed: int) -> Resampled:
    """Replicates of a run, and the intervals by them."""
    _check(kind, wanted, level)
    refit = refit_of(run, data, "be resampled")
    source, model, start = refit.units, refit.model, refit.start
    units = source.n_rows if source.groups is None else len(source.groups) - 1
    _check_units(units, source, kind)
    many = units if kind == "jackknife" else wanted or USUAL
    described_now = described(model, start)
    names = tuple(name for name, _ in leaves(described_now))
    if kind == "parametric":
        draw = partial(refit.drawn, start, source, seed)
        found = list(drawn_replicates(model, start, source, Serial(), draw, many))
    else:
        found = list(replicates(model, start, source, Serial(), kind, many, seed))
    values = np.array([_values(model, one, len(names)) for one in found])
    counts = Counter(one.verdict for one in found)
    reason = _withheld(counts, many)
    kept = np.array([one.verdict is Verdict.OK for one in found], np.bool_)
    errors = _errors_by_name(refit.document, refit.schema.names)
    intervals = [
        {
            "parameter": name,
            **_place(name, refit.schema.names),
            "estimate": estimate,
            "se_observed": errors["observed"].get(name),
            "se_robust": errors["robust"].get(name),
            **_interval(name, estimate, own, level, kind == "jackknife", reason),
        }
        for name, estimate, own in zip(names, numbers_of(described_now).tolist(), values[kept].T, strict=True)
    ]
    document = {
        "kind": kind,
        "level": level,
        "random_state": None if kind == "jackknife" else seed,
        "replicates": many,
        "kept": counts[Verdict.OK],
        "ambiguous": counts[Verdict.AMBIGUOUS],
        "lost": counts[Verdict.LOST],
        "unfinished": counts[Verdict.UNFINISHED],
        "withheld": reason,
        "intervals": intervals,
    }
    return Resampled(document, names, found, values)


def _check(kind: str, wanted: int | None, level: float) -> None:
    if kind not in KINDS:
        raise UsageError(f"--kind {kind}: one of {', '.join(KINDS)} is wanted{did_you_mean(kind, KINDS)}")
    if wanted is not None and kind == "jackknife":
        raise UsageError("-B does not apply to the jackknife, which leaves out each row once.")
    if wanted is not None and not FEWEST <= wanted <= MOST:
        raise UsageError(f"-B must be from {FEWEST} to {MOST:,}, not {wanted:,}.")
    if not 0.5 <= level < 1:
        raise UsageError(f"--level must be from 0.5 up and below 1, such as 0.95, not {level:g}.")


def _check_units(units: int, source: InMemory, kind: str) -> None:
    """`UsageError` where there are too few groups or sequences to be drawn."""
    if source.groups is not None and units < FEWEST_UNITS and kind != "parametric":
        raise UsageError(
            f"rows in {units} sequences or groups are drawn by these, and {FEWEST_UNITS} are needed: --kind parametric "
            "draws rows from the fit."
        )


def _values(model: Model, one: Replicate, size: int) -> Array:
    if one.verdict is Verdict.LOST:
        return np.full(size, np.nan)
    return numbers_of(described(model, one.parameters))


def _withheld(counts: Mapping[Verdict, int], many: int) -> str | None:
    """Why there are no intervals; None if there are."""
    lost, doubtful = counts[Verdict.LOST] / many, (counts[Verdict.LOST] + counts[Verdict.AMBIGUOUS]) / many
    if counts[Verdict.OK] < FEWEST // 2:
        return f"only {counts[Verdict.OK]} of {many} replicates came to an end of their own"
    if lost > MOST_LOST:
        return f"{lost:.0%} of the replicates lost a component"
    if doubtful > MOST_DOUBTFUL:
        return f"in {doubtful:.0%} of the replicates a component was lost, or it was not clear which is which"
    return None


def _interval(
    name: str, estimate: float, values: Array, level: float, jackknife: bool, reason: str | None
) -> dict[str, Any]:
    none = {"se_bootstrap": None, "mc_error": None, "low": None, "high": None, "scale": None}
    if reason is not None:
        return none | {"verdict": "withheld"}
    if not (np.isfinite(values).all() and np.isfinite(estimate)) or fixed(name, values):
        return none | {"verdict": "fixed"}
    found = interval(name, estimate, values, level, jackknife)
    return {
        "se_bootstrap": found.standard_error,
        "mc_error": found.monte_carlo_error,
        "low": found.low,
        "high": found.high,
        "scale": found.scale,
        "verdict": "ok",
    }


def _place(name: str, columns: Sequence[str]) -> dict[str, Any]:
    """The component and the column of a number, where its name tells them."""
    _, *places = name.rpartition(".")[2].replace("]", "").split("[")
    column = columns[int(places[1]) - 1] if name.startswith(BESIDE) else None
    return {"component": int(places[0]) if places else None, "column": column}


def _errors_by_name(document: Mapping[str, Any], columns: Sequence[str]) -> dict[str, dict[str, float]]:
    """The standard errors of the fit itself, by the names of the numbers."""
    found = document.get("standard_errors") or {}
    return {kind: dict(_named(found[kind], columns)) if kind in found else {} for kind in ("observed", "robust")}


def _named(errors: Mapping[str, Any], columns: Sequence[str]) -> Iterator[tuple[str, float]]:
    for key, value in errors.items():
        if key != "components":
            yield from leaves(value, key)
    for k, component in enumerate(errors["components"], 1):
        for key in ("mean", "sd"):
            for d, column in enumerate(columns, 1):
                if (error := component[key].get(column)) is not None:
                    yield f"{key}[{k}][{d}]", error
