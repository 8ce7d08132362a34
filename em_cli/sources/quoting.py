"""Words from the data, made fit for a message: short, on one line, without control characters."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from em_cli.printable import safe
from em_cli.registry import did_you_mean

LONGEST = 60
MOST_NAMES = 20


def quoted(text: str) -> str:
    return repr(short(text))


def short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def listed(names: Sequence[str]) -> str:
    return joined([safe(short(name)) for name in names])


def joined(items: Sequence[str]) -> str:
    """The first of them, and how many there are."""
    shown = ", ".join(items[:MOST_NAMES])
    return shown if len(items) <= MOST_NAMES else f"{shown}, … {len(items):,} in all"


def excluding(names: Sequence[str]) -> str:
    """The option that leaves these columns out."""
    return f"--exclude {argument(*names)}" if len(names) <= MOST_NAMES else "--exclude with all of them"


def argument(*texts: str) -> str:
    """Ready to be pasted into a shell, unless it had to be cut short; several as a list with commas."""
    return shlex.quote(",".join(safe(short(text)) for text in texts))


def plural(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def unknown_column(name: str, file: str, known: Sequence[str]) -> str:
    """The whole message about a column that a file lacks."""
    nearest = did_you_mean(name, known)
    end = nearest if nearest.startswith(". ") else "."
    return f"column {quoted(name)} is not in {file} (columns: {listed(known)}){end}"
