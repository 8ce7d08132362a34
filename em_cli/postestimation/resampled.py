"""How far the numbers of a run may be off, by fitting it again to resampled rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from em_cli.documents.bootstrap_json import Intervals
from em_cli.documents.known import known_as
from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.inference.intervals import MOST_DOUBTFUL, MOST_LOST, at_bound, field_of, fixed, interval, scale_of
from em_cli.inference.replicates import KINDS, Verdict, drawn_replicates, replicates
from em_cli.inference.row_weights import lengths_of_groups, row_weights
from em_cli.inference.stability import better_elsewhere
from em_cli.inference.standard_errors import BESIDE, described, leaves, rotated
from em_cli.outputs.manifest import to_json
from em_cli.outputs.tables import csv_text
from em_cli.postestimation.places import place_of
from em_cli.postestimation.refitted import Refit, check_replicates, refit_of
from em_cli.postestimation.replicate_lines import OF_REPLICATES, Line, line_of, lines_before
from em_cli.registry import did_you_mean
from em_cli.runners.serial import Serial
from em_cli.runs.interruption import Halt
from em_cli.sources.schema import LEVELLED
from em_cli.sources.store import Store

USUAL, FEWEST = 399, 20  # replicates
UNDER_WEIGHTS = ("nonparametric", "weighted")
SEARCHED, FEW_ROWS = 50, 5000  # replicates that are searched anew, where there are no more rows
MOST = 100_000
FEWEST_UNITS = 10  # groups or sequences of rows that are drawn
COLUMNS = (
    "parameter", "component", "column", "level", "estimate", "se_observed", "se_robust", "se_bootstrap", "mc_error",
    "low", "high", "scale", "share_lost", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a resampling."""

    kind: str
    many: int | None
    level: float
    seed: int
    searched: int | None  # replicates that are searched anew

    def check(self) -> None:
        """`UsageError` for what cannot be."""
        kind, many = self.kind, self.many
        if kind not in KINDS:
            raise UsageError(f"--kind {kind!r} is unknown{did_you_mean(kind, KINDS)}")
        if many is not None and kind == "jackknife":
            raise UsageError("-B does not apply to the jackknife, which leaves out each row once.")
        if many is not None:
            check_replicates(many, FEWEST, MOST)
        if self.searched is not None and kind not in UNDER_WEIGHTS:
            raise UsageError(f"--searched is for replicates under weights: {' or '.join(UNDER_WEIGHTS)}, not {kind}.")
        if not 0.5 <= self.level < 1:
            raise UsageError(f"--level must be from 0.5 up and below 1, such as 0.95, not {self.level:g}.")


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """The intervals of a run, and the replicates that they are from."""

    document: Intervals
    names: tuple[str, ...]  # of the numbers
    lines: Sequence[Line]

    def files(self) -> dict[str, Iterator[str]]:
        """The two tables, and the document, by name."""
        return {
            "intervals.csv": csv_text(COLUMNS, self.document["intervals"]),
            "bootstrap.csv": csv_text((*OF_REPLICATES, *self.names), (one.cells(self.names) for one in self.lines)),
            "bootstrap.json": iter([to_json(self.document)]),
        }


def resampled(
    run: str,
    data: Sequence[str],
    wanted: Wanted,
    halt: Halt,
    before: str | None,
    tell: Callable[[int, int], None],
    store: Store,
) -> Resampled:
    """Replicates of a run, the intervals by them, and how many of some that are searched anew have better solutions.

    They go on from those in the folder `before`, and end where it is time to.
    """
    wanted.check()
    refit = refit_of(run, data, "be resampled", store)
    source, model, start, kind = refit.units, refit.model, refit.start, wanted.kind
    in_groups = source[0].groups is not None
    units = len(lengths_of_groups(source)) if in_groups else source.n_rows
    if in_groups and kind != "parametric":
        _check_groups(units)
    many = units if kind == "jackknife" else wanted.many or USUAL
    named = described(model, start)
    names = tuple(name for name, _ in leaves(named))
    identity: dict[str, object] = {
        "kind": kind,
        "random_state": None if kind == "jackknife" else wanted.seed,
        "log_likelihood": refit.document.get("log_likelihood"),
    }
    lines = lines_before(before, names, identity)[:many] if before is not None else []
    rest = range(len(lines), many)
    if kind == "parametric":
        draw = partial(refit.drawn, start, source, wanted.seed)
        turns = drawn_replicates(model, start, source, Serial(), draw, rest)
    else:
        turns = replicates(model, start, source, Serial(), kind, rest, wanted.seed)
    while len(lines) < many and not halt():
        lines += [line_of(model, one, named) for one in next(turns)]
        tell(len(lines), many)
    elsewhere = [] if halt() else _elsewhere(refit, lines, wanted)
    document: dict[str, object] = identity | {"level": wanted.level, "wanted": many, "stopped": halt.reason or None}
    counts = Counter(one.verdict for one in lines)
    withheld = _withheld(counts, len(lines), many, halt.reason)
    document |= {"replicates": len(lines), "kept": counts[Verdict.OK]}
    document |= {verdict.value: counts[verdict] for verdict in Verdict if verdict is not Verdict.OK}
    document |= {"withheld": withheld, "searched": len(elsewhere), "better_elsewhere": sum(elsewhere)}
    document |= {"intervals": _intervals(refit, lines, wanted, withheld)}
    return Resampled(known_as(Intervals, document), names, lines)


def _intervals(refit: Refit, lines: Sequence[Line], wanted: Wanted, withheld: str | None) -> list[dict[str, object]]:
    kept = [one.values for one in lines if one.verdict is Verdict.OK]
    errors = _errors_by_name(refit.document, refit.schema.names)
    numbers = list(leaves(described(refit.model, refit.start)))
    columns = np.array(kept).T if kept else np.empty((len(numbers), 0))
    free = rotated([name for name, _ in numbers], refit.model.quantities)
    share_lost, unclear = _shares_lost(refit.model.n_components, lines), _share(Verdict.AMBIGUOUS, lines)
    found = list[dict[str, object]]()
    for (name, estimate), own, without in zip(numbers, columns, free, strict=True):
        if without or not _means_something(name, refit):
            continue
        place = place_of(name, refit.document)
        lost = share_lost.get(None if name.startswith("weights") else place["component"], share_lost[None])
        hidden = withheld is not None or lost > MOST_LOST or lost + unclear > MOST_DOUBTFUL
        found.append(
            {
                "parameter": name,
                **place,
                "estimate": estimate,
                "se_observed": errors["observed"].get(name),
                "se_robust": errors["robust"].get(name),
                "share_lost": lost,
                **_interval(name, estimate, own, wanted, hidden, refit),
            }
        )
    return found


def _share(verdict: Verdict, lines: Sequence[Line]) -> float:
    return sum(one.verdict is verdict for one in lines) / max(1, len(lines))


def _shares_lost(n_components: int, lines: Sequence[Line]) -> dict[object, float]:
    """Of the replicates, by the number of the component that they lost; under None, of those that lost any."""
    own = {k + 1: sum(k in one.lost for one in lines) / max(1, len(lines)) for k in range(n_components)}
    return own | {None: _share(Verdict.LOST, lines)}


def _elsewhere(refit: Refit, lines: Sequence[Line], wanted: Wanted) -> list[bool]:
    """Of the first replicates, as many as are to be searched anew, whether another solution is better."""
    source, model, kind = refit.units, refit.model, wanted.kind
    if kind not in UNDER_WEIGHTS or model.n_components == 1 or (wanted.searched is None and source.n_rows > FEW_ROWS):
        return []
    first = lines[: SEARCHED if wanted.searched is None else wanted.searched]
    some = [one for one in first if one.verdict is not Verdict.LOST]
    weights = [row_weights(kind, source, one.number, wanted.seed) for one in some]
    return better_elsewhere(model, [one.log_likelihood for one in some], weights, source, Serial(), wanted.seed)


def _check_groups(units: int) -> None:
    """`UsageError` where there are too few groups or sequences to be drawn."""
    if units < FEWEST_UNITS:
        raise UsageError(
            f"rows are drawn by sequences or groups, of which there {'is' if units == 1 else 'are'} {units}, and "
            f"{FEWEST_UNITS} are needed: --kind parametric draws rows from the fit."
        )


def _withheld(counts: Mapping[Verdict, int], many: int, wanted: int, cut_by: str) -> str | None:
    """Why there are no intervals; None if there are."""
    if many < min(FEWEST, wanted):
        how = "it was interrupted after" if cut_by == "interrupted" else "there was time for"
        return f"{how} {many} of {wanted} replicates"
    if counts[Verdict.OK] < FEWEST // 2:
        return f"only {counts[Verdict.OK]} of {many} replicates came to an end of their own"
    if (unclear := counts[Verdict.AMBIGUOUS] / many) > MOST_DOUBTFUL:
        return f"in {unclear:.0%} of the replicates it was not clear which component is which"
    return None


def _interval(
    name: str, estimate: float, values: Array, wanted: Wanted, hidden: bool, refit: Refit
) -> dict[str, object]:
    none = {"se_bootstrap": None, "mc_error": None, "low": None, "high": None, "scale": None}
    if hidden:
        return none | {"verdict": "withheld"}
    quantities = refit.model.quantities
    quantity, scale = quantities.get(field_of(name)), scale_of(name, quantities, _type_of(name, refit))
    if not (np.isfinite(values).all() and np.isfinite(estimate)) or fixed(quantity, values):
        return none | {"verdict": "fixed"}
    found = interval(estimate, values, wanted.level, scale, wanted.kind == "jackknife")
    if at_bound(quantity, estimate, found.standard_error):
        return none | {"verdict": "at a bound"}
    return {
        "se_bootstrap": found.standard_error,
        "mc_error": found.monte_carlo_error,
        "low": found.low,
        "high": found.high,
        "scale": found.scale,
        "verdict": "ok",
    }


def _means_something(name: str, refit: Refit) -> bool:
    """Of levels there is no mean and no standard deviation: their probabilities are told."""
    if not name.startswith(BESIDE):
        return True
    return _type_of(name, refit) not in LEVELLED


def _type_of(name: str, refit: Refit) -> str | None:
    """Of the column that a number is of; None if it is of none."""
    column = place_of(name, refit.document)["column"]
    return refit.schema.columns[refit.schema.names.index(column)].type if column in refit.schema.names else None


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
