"""The table of the coefficients of regressions, from the document of a fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from em_cli.display.component_table import shortened
from em_cli.display.search_words import number
from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.printable import safe

MOST_TERMS = 30
MOST_COMPONENTS = 8
LONGEST_NAME = 24  # characters


def coefficients(page: Page, document: Mapping[str, Any]) -> None:
    """A row for each term and a column for each component; nothing where there is no regression."""
    groups = document.get("groups")
    several = [own for own in groups if isinstance(own, Mapping)] if isinstance(groups, list) else []
    for own in [document, *several]:
        if own.get("family") == "regression":
            _table(page, own)
    told = document.get("concomitant")
    if isinstance(told, Mapping):
        _logits(page, told)


def _logits(page: Page, told: Mapping[str, Any]) -> None:
    terms, found = told.get("names"), told.get("coefficients")
    if not isinstance(terms, list) or not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return
    shown = found[: MOST_COMPONENTS - 1]
    rows = [
        [shortened(safe(str(term)), LONGEST_NAME), *(_written(row[at]) if at < len(row) else "" for row in shown)]
        for at, term in enumerate(terms[:MOST_TERMS])
    ]
    if shown:
        page.blank()
        page.flow(["log-odds of the mixing weights against component 1, on"], style="dim")
        page.table(["term", *(str(k + 2) for k in range(len(shown)))], rows, range(1, len(shown) + 1))


def _table(page: Page, own: Mapping[str, Any]) -> None:
    terms, found = own.get("design"), own.get("coefficients")
    if not isinstance(terms, list) or not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return
    options = own.get("family_options")
    said: Mapping[str, Any] = options if isinstance(options, Mapping) else {}
    shown, sigma = found[:MOST_COMPONENTS], own.get("sigma")
    rows = [
        [shortened(safe(str(term)), LONGEST_NAME), *(_written(row[at]) if at < len(row) else "" for row in shown)]
        for at, term in enumerate(terms[:MOST_TERMS])
    ]
    if isinstance(sigma, list):
        rows.append(["sigma", *map(_written, sigma[:MOST_COMPONENTS])])
    page.blank()
    page.flow([f"{safe(str(said.get('response', 'response')))}, {said.get('law', 'gaussian')}, on"], style="dim")
    page.table(["term", *map(str, range(1, len(shown) + 1))], rows, range(1, len(shown) + 1))
    left = [counted(len(found) - len(shown), "more component")] if len(found) > len(shown) else []
    left += [counted(len(terms) - MOST_TERMS, "more term")] if len(terms) > MOST_TERMS else []
    if left:
        page.flow([f"… and {' and '.join(left)} in coefficients.csv"], style="dim")


def _written(value: Any) -> str:
    found = number(value)
    return "" if found is None else f"{found:.4g}"
