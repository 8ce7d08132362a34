"""How sure a variational fit is: intervals of the posterior of each component, from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.display.component_table import bearing, blocks_of, shortened, width_of
from em_cli.display.search_words import number
from em_cli.display.text_page import Page
from em_cli.printable import FEW_DIGITS, mean_and_sd, safe

MOST_COLUMNS = 8
LONGEST_NAME = 24  # characters
WIDTHS = 4  # standard errors that an interval of 95 % is wide, more or less


def posterior(page: Page, document: Mapping[str, object]) -> None:
    """A row for each component that bears rows: weight and means; nothing where there is no posterior."""
    shown = [c for c in bearing(document) if isinstance(c.get("interval"), Mapping)]
    if not shown:
        return
    own = [c["interval"] for c in shown]
    names = [str(name) for name in (own[0].get("mean") or {})]
    columns = [("weight", [_weight(one.get("weight")) for one in own])]
    columns += [
        (shortened(safe(name), LONGEST_NAME), [_mean(one, name) for one in own]) for name in names[:MOST_COLUMNS]
    ]
    page.blank()
    page.words("95 % of the posterior of weights and means (of all parameters: params.json)", style="dim")
    first = ("component", [str(c.get("component", "")) for c in shown])
    for place, block in enumerate(blocks_of(columns, page.width - 1 - width_of([first]))):
        if place:
            page.blank()
        entries = [first, *block]
        rows = list(zip(*(cells for _, cells in entries), strict=True))
        page.table([heading for heading, _ in entries], rows, range(len(entries)))


def _mean(interval: Mapping[str, object], name: str) -> str:
    means = interval.get("mean")
    found = _ends(means.get(name) if isinstance(means, Mapping) else None)
    if found is None:
        return ""
    low, high = found
    return " – ".join(mean_and_sd(end, (high - low) / WIDTHS, FEW_DIGITS)[0] for end in (low, high))


def _weight(value: object) -> str:
    found = _ends(value)
    return "" if found is None else " – ".join(f"{end:.3f}" for end in found)


def _ends(value: object) -> tuple[float, float] | None:
    found = [number(end) for end in value] if isinstance(value, Sequence) and not isinstance(value, str) else []
    if len(found) != 2 or found[0] is None or found[1] is None:
        return None
    return found[0], found[1]
