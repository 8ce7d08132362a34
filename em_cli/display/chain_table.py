"""The table of the steps between states, from the document of a fit."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.search_words import number
from em_cli.display.text import counted
from em_cli.display.text_page import Page

MOST_STATES = 8  # whose steps are shown
LASTING = 100.0
MANY = 100  # steps, of which no fractions are told


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
    cells = [
        [
            str(state + 1),
            *(_share(value) for value in rows[state][:shown]),
            _share(begins[state]),
            _duration(lasts[state], number(document.get("n_steps")) or 0.0),
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


def _duration(value: object, n_steps: float) -> str:
    """How long a state lasts; what lasts by far longer than the data is not left in them."""
    steps = number(value)
    if steps is None or steps > LASTING * max(n_steps, 1.0):
        return "not left"
    return f"{steps:,.0f} steps" if steps >= MANY else f"{steps:.3g} steps"


def _list(value: object, k: int) -> list[object]:
    return value if isinstance(value, list) and len(value) == k else [None] * k
