"""What every document says of the climb that was chosen, and of the search that found it."""

from __future__ import annotations

from math import isfinite

from em_cli.engine.climb import FitResult
from em_cli.engine.stopping import Status
from em_cli.search.ledger import Fitted, Verdict


def finite(value: float) -> float | None:
    """The number, or null where there is none."""
    return float(value) if isfinite(value) else None


def stop_reason(chosen: FitResult, cut_by: str) -> str:
    """Why the climb ended where it did; `cut_by` is what ended those that were ended early."""
    return cut_by if chosen.status is Status.INTERRUPTED else chosen.status.value


def ended(chosen: FitResult, cut_by: str) -> dict[str, object]:
    """How the climb ended."""
    return {
        "converged": chosen.status is Status.CONVERGED,
        "stop_reason": stop_reason(chosen, cut_by),
        "n_iter": len(chosen.trace),
        "remaining_estimate": finite(chosen.remaining),
    }


def search_found(fitted: Fitted, effort: str | None) -> dict[str, object]:
    """How the fit was found."""
    seen = max((entry.sample_rows for entry in fitted.ledger), default=0)
    return ({"sample_rows": seen} if seen else {}) | {
        "effort": effort,
        "searches": fitted.searches,
        "reached": fitted.reached,
        "starts": len(fitted.started),
        "failed": sum(entry.result.status is Status.DEGENERATE for entry in fitted.ledger),
        "degenerate": fitted.count(Verdict.DEGENERATE),
        "at_best": fitted.at_best,
        "log_likelihoods": [
            None if entry.sample_rows else finite(entry.result.log_likelihood) for entry in fitted.ledger
        ],
    }
