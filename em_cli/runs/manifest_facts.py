"""What a run has to say of itself in its manifest, beyond its results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Protocol

from em_cli.config.run_config import RunConfig
from em_cli.config.texts import resolved
from em_cli.documents.manifest_json import (
    DataFields,
    Manifest,
    ReadColumn,
    RegularisationFields,
    RuleFields,
    SearchCounts,
    StoppingFields,
)
from em_cli.engine.assignment import HARD
from em_cli.engine.climb import FitResult
from em_cli.engine.documents import field
from em_cli.engine.stopping import USUAL_TOLERANCES, WINDOW, Status
from em_cli.runs.configure import Settings
from em_cli.runs.record import Record
from em_cli.search.ledger import Degeneracies, Fitted
from em_cli.sources.table import Data


class Ended(Protocol):
    """A fit as it is written."""

    @property
    def fitted(self) -> Fitted: ...
    @property
    def degeneracies(self) -> Degeneracies: ...


RULE = (
    "a start ends when its last {window} iterates gained less than {tol:g} nats of total log-likelihood, and less than "
    "{rest:g} are thought to remain"
)

RULES = {
    "loglik": "a start ends when its last step gained less than {tol:g} nats, whatever remains",
    "relative": "a start ends when its last step gained less than {tol:g} of the log-likelihood, whatever remains",
    "parameters": "a start ends when its last step moved no weight, mean or standard deviation by {tol:g} (those in "
    "standard deviations of their column), whatever remains",
}
AFTER_STEPS = "a start ends after its steps, whatever it would still gain"
AT_LABELS = "a start ends when no row moves to another component"


def facts(
    settings: Settings,
    data: Data,
    record: Record,
    result: Ended,
    document: Mapping[str, object],
    fits: Sequence[Fitted],
    resumed_after: float | None,
) -> Manifest:
    """What was asked and read, how the search went, what it saw at its end.

    `resumed_after` are the seconds that a run had taken before it was resumed.
    """
    config, start = settings.config, settings.start
    return {
        "inputs": [{"name": file.name, "size": file.size, "sha256": file.sha256} for file in data.inputs],
        "start_file": {"name": start.path, "sha256": start.sha256} if start else None,
        "config_sha256": settings.fingerprint,
        "config": resolved(config),
        "data": _data(data, document),
        "search": _search(config, fits),
        "stopping": _stopping(config, result, document, _cpu_seconds(record, result)),
        "regularisation": _regularisation(result, document),
        "warnings": record.warnings,
        "resumed_after": None if resumed_after is None else round(resumed_after, 3),
    }


def _data(data: Data, document: Mapping[str, object]) -> DataFields:
    fitted, scored_only = len(data.rows), len(data.others.rows)
    columns = list[ReadColumn]()
    for column in data.schema.columns:
        own: ReadColumn = {"name": column.name, "type": column.type, "why": data.why.get(column.name)}
        if column.levels:
            own["levels"] = len(column.levels)
        if column.transform is not None:
            own["transform"] = column.transform
        columns.append(own)
    special = {data.id_name, data.weights_name}
    return {
        "layout": dict(data.layout),
        "columns": columns,
        "columns_left_out": [
            name for name in data.layout["columns"] if name not in data.schema.names and name not in special
        ],
        "id": data.id_name,
        "weights": data.weights_name,
        "rows": {
            "read": data.n_rows_read,
            "fitted": fitted,
            "scored_only": scored_only,
            "left_out": data.n_rows_read - fitted - scored_only,
        },
        "missing_policy": str(document.get("missing_policy", "error")),
        "n_missing": dict(data.n_missing),
    }


def _search(config: RunConfig, fits: Sequence[Fitted]) -> SearchCounts:
    ledger = [entry for fitted in fits for entry in fitted.ledger]
    return {
        "seed": config.seed,
        "models": len(fits),
        "starts": dict(Counter(entry.start for fitted in fits for entry in fitted.started)),
        "verdicts": dict(Counter(entry.verdict.value for entry in ledger)),
        "searches": sum(fitted.searches for fitted in fits),
        "iterations": sum(len(entry.result.trace) for entry in ledger),
    }


def _stopping(
    config: RunConfig, result: Ended, document: Mapping[str, object], cpu_seconds: list[float] | None
) -> StoppingFields:
    chosen, tol = result.fitted.chosen, config.search.tol
    assert chosen is not None, "there is a fit to speak of"
    last = chosen.trace[-1 - WINDOW :]
    return {
        "rule": _rule(document, config.search.stop, tol),
        "tol": tol,
        "max_iter": config.search.max_iter,
        "stop_reason": field(document, "stop_reason"),
        "iterations": len(chosen.trace),
        "last_gains": [after - before for before, after in pairwise(last)],
        "remaining_estimate": field(document, "remaining_estimate"),
        "rules": _rules(chosen, config.search.stop, tol),
        "cpu_seconds": cpu_seconds,
    }


def _cpu_seconds(record: Record, result: Ended) -> list[float] | None:
    """Where an earlier run or another search is part of the climb, there are as many for its last part only."""
    chosen = result.fitted.chosen
    assert chosen is not None, "there is a fit to speak of"
    found = record.stood.get(chosen.candidate.number, [])
    return [round(seconds, 6) for seconds in found] if len(found) == len(chosen.trace) else None


def _rule(document: Mapping[str, object], stop: str, tol: float) -> str:
    if document["stop_reason"] == Status.COMPLETED.value:
        return AFTER_STEPS
    if document.get("objective") == HARD.objective:
        return AT_LABELS
    return RULES[stop].format(tol=tol) if stop in RULES else RULE.format(window=WINDOW, tol=tol, rest=tol / 10)


def _rules(chosen: FitResult, stop: str, tol: float) -> dict[str, RuleFields]:
    """What each rule would have said at the end, by its usual tolerance unless it is the one that was asked for."""
    gain = abs(chosen.trace[-1] - chosen.trace[-2]) if len(chosen.trace) > 1 else float("inf")
    values = {
        "nats": chosen.remaining,
        "loglik": gain,
        "relative": gain / abs(chosen.trace[-1]),
        "parameters": chosen.moved,
    }
    told: dict[str, RuleFields] = {}
    for name, value in values.items():
        tolerance = tol if name == stop else USUAL_TOLERANCES[name]
        known = isfinite(value)
        told[name] = {"value": value if known else None, "tol": tolerance, "met": value < tolerance if known else None}
    return told


def _regularisation(result: Ended, document: Mapping[str, object]) -> RegularisationFields:
    return {
        "prior": field(document, "prior") if "prior" in document else "none",
        "log_prior": field(document, "log_prior") if "log_prior" in document else 0.0,
        "floor": field(document, "floor") if "floor" in document else None,
        "active": [
            {"component": k + 1, "reason": collapse.reason, "at_floor": collapse.at_resolution}
            for k, collapse in enumerate(result.degeneracies)
            if collapse
        ],
    }
