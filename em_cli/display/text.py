"""Words and numbers for people, on any stream."""

from __future__ import annotations

from math import isfinite

from em_cli.engine.objectives import ELBO, LOG_LIKELIHOOD, PENALISED
from em_cli.printable import safe

TOPICS = "topics"


def message(text: str) -> str:
    """A message for a log: its further lines are indented, anything else that is harmful is escaped."""
    return "\n    ".join(safe(line) for line in text.split("\n"))


def counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def duration(seconds: float) -> str:
    """H:MM:SS."""
    whole = int(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def nats(value: float, decimals: int = 3) -> str:
    """A log-likelihood or a criterion."""
    return f"{value:.{decimals}f}" if isfinite(value) else "—"


def objective(label: str, of: str = LOG_LIKELIHOOD) -> str:
    """What a climb of this model makes higher: a log-likelihood, with a prior or without, or a lower bound."""
    return "ELBO" if label == TOPICS or of == ELBO else "loglik + prior" if of == PENALISED else "loglik"


def model(label: str, n_components: int) -> str:
    """A model of a sweep."""
    return safe(f"{label} k = {n_components}".strip())
