"""The table of the steps between states, from the document of a fit."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.search_words import number
from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.printable import estimate, spread

MOST_STATES = 8  # whose steps are shown
LASTING = 100.0
MANY = 100  # steps, of which no fractions are told
SURE = 3  # states, of more than which no standard errors stand beside their steps


def chain(page: Page, document: Mapping[str, object]) -> None:
    """From each state the probability of every next one, and for how long it lasts; nothing if there is no chain."""
    law = document.get("transmat")
    rows = [row for row in law if isinstance(row, list)] if isinstance(law, list) else []
    if not rows:
        return
    page.blank()
    k = len(rows)
    shown = min(k, MOST_STATES)
    begins, lasts = (_list(document.get(name), k) for name in ("startprob", "mean_duration"))
    errors = _errors(document) if k <= SURE else {}
    unsure, wavering = _list(errors.get("transmat"), k), _list(errors.get("mean_duration"), k)
    cells = [
        [
            str(state + 1),
            *map(_estimate, rows[state][:shown], _list(unsure[state], k)),
            _share(begins[state]),
            _duration(lasts[state], wavering[state], number(document.get("n_steps")) or 0.0),
        ]
        for state in range(shown)
    ]
    page.table(["from", *(f"to {state + 1}" for state in range(shown)), "begins", "lasts"], cells, range(shown + 3))
    if k > shown:
        page.flow([f"… and {counted(k - shown, 'more state')} in transitions.csv"], style="dim")
    sequences, steps = number(document.get("n_sequences")), number(document.get("n_steps"))
    if sequences and steps:
        page.flow([f"{counted(int(sequences), 'sequence')}, {counted(int(steps), 'step')}"], style="dim")


def _share(value: object) -> str:
    p = number(value)
    return "" if p is None else "0" if p == 0 else f"{p:.3f}"


def _errors(document: Mapping[str, object]) -> Mapping[str, object]:
    """The standard errors that the summary tells."""
    found = document.get("standard_errors")
    if not isinstance(found, dict):
        return {}
    own = found.get(found.get("reported"))
    return own if isinstance(own, dict) else {}


def _estimate(value: object, error: object) -> str:
    told, unsure = _share(value), number(error)
    return told if not told or unsure is None else f"{told} ± {spread(unsure)}"


def _duration(value: object, error: object, n_steps: float) -> str:
    """How long a state lasts; what lasts by far longer than the data is not left in them."""
    steps, unsure = number(value), number(error)
    if steps is None or steps > LASTING * max(n_steps, 1.0):
        return "not left"
    told = f"{steps:,.0f}" if steps >= MANY else f"{steps:.3g}"
    return f"{told if unsure is None else estimate(steps, unsure)} steps"


def _list(value: object, k: int) -> list[object]:
    return value if isinstance(value, list) and len(value) == k else [None] * k
