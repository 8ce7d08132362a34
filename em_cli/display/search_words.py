"""In words: how a climb ended, and how far the search is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from em_cli.display.text import counted

NEGLIGIBLE = 0.0001  # nats


def ending(document: Mapping[str, Any]) -> tuple[str, str]:
    """How the climb ended, and a style for it."""
    n = number(document.get("n_iter"))
    iterations = counted(int(n), "iteration") if n is not None else ""
    if document.get("converged") is True:
        return (f"converged in {iterations}" if iterations else "converged"), "green"
    reason = document.get("stop_reason")
    if reason == "interrupted":
        return f"interrupted after {iterations or 'a while'}", "yellow"
    if reason == "max_iterations":
        return f"stopped at {iterations or 'the limit'}, not converged", "yellow"
    return ("not converged", "yellow") if "converged" in document else ("", "")


def trust(document: Mapping[str, Any]) -> str:
    """The sentence about the starts."""
    search = document.get("search")
    search = search if isinstance(search, Mapping) else {}
    starts, at_best = (int(number(search.get(key)) or 0) for key in ("starts", "at_best"))
    parts = [_starts(starts, at_best, document), _collapsed(search), _remaining(document)]
    return "; ".join(part for part in parts if part)


def _starts(starts: int, at_best: int, document: Mapping[str, Any]) -> str:
    if document.get("start") == "given":
        return "climbed from the start that was given"
    if document.get("n_components") == 1:
        return "one component: every start leads here"
    if starts == 1:
        return "from one start only: another may lead higher"
    if starts and at_best == starts:
        return f"all {starts} starts reached this value"
    times = "once" if at_best == 1 else "twice" if at_best == 2 else f"{at_best} times"
    return f"best of {starts} starts, reached {times}" if starts else ""


def _collapsed(search: Mapping[str, Any]) -> str:
    n = int(number(search.get("degenerate")) or 0)
    return f"{n} collapsed and set aside" if n else ""


def _remaining(document: Mapping[str, Any]) -> str:
    nats = number(document.get("remaining_estimate"))
    if nats is None:
        return "" if document.get("converged", True) is True else "how much remains to gain is unknown"
    if nats < NEGLIGIBLE:
        return f"less than {NEGLIGIBLE} nats remain"
    return f"about {nats:.1g} nats remain" if nats < 1 else f"about {nats:,.0f} nats remain"


def number(value: Any) -> float | None:
    """A number in a document that anyone may have edited."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
