"""The table of the coefficients of regressions, from the document of a fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.display.component_table import shortened
from em_cli.display.search_words import number
from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.printable import estimate, safe

MOST_TERMS = 30
MOST_COMPONENTS = 8
LONGEST_NAME = 24  # characters
BESIDE = ("sigma", "shape", "size")  # parameters of the response's law beside its coefficients


def coefficients(page: Page, document: Mapping[str, object]) -> None:
    """A row for each term and a column for each component; nothing where there is no regression."""
    groups, errors = document.get("groups"), _reported(document)
    several = [own for own in groups if isinstance(own, Mapping)] if isinstance(groups, list) else []
    of_groups = errors.get("groups")
    known = [own if isinstance(own, Mapping) else {} for own in of_groups] if isinstance(of_groups, list) else []
    known += [{}] * (len(several) - len(known))
    for own, uncertain in zip([document, *several], [errors, *known], strict=False):
        _table(page, own, uncertain)
    told, of_told = document.get("concomitant"), errors.get("concomitant")
    if isinstance(told, Mapping):
        _logits(page, told, of_told if isinstance(of_told, Mapping) else {})


def _reported(document: Mapping[str, object]) -> Mapping[str, object]:
    """The standard errors that the document reports; none where it does not."""
    errors = document.get("standard_errors")
    found = errors.get(str(errors.get("reported"))) if isinstance(errors, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _logits(page: Page, told: Mapping[str, object], errors: Mapping[str, object]) -> None:
    terms, found = told.get("names"), told.get("coefficients")
    if not isinstance(terms, list) or not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return
    shown = found[: MOST_COMPONENTS - 1]
    if shown:
        page.blank()
        page.flow(["log-odds of the mixing weights against component 1, on"], style="dim")
        rows = _rows(terms, shown, errors.get("coefficients"))
        page.table(["term", *(str(k + 2) for k in range(len(shown)))], rows, range(1, len(shown) + 1))


def _table(page: Page, own: Mapping[str, object], errors: Mapping[str, object]) -> None:
    terms, found = own.get("design"), own.get("coefficients")
    if not isinstance(terms, list) or not isinstance(found, list) or not all(isinstance(row, list) for row in found):
        return
    options = own.get("family_options")
    said: Mapping[str, object] = options if isinstance(options, Mapping) else {}
    shown = found[:MOST_COMPONENTS]
    common = own.get("common_design")
    rows = _rows(terms, shown, errors.get("coefficients"), common if isinstance(common, list) else ())
    for name in BESIDE:
        if isinstance(values := own.get(name), list):
            uncertain = errors.get(name)
            of_each = uncertain if isinstance(uncertain, list) else []
            rows.append([name, *(_written(value, _at(of_each, k)) for k, value in enumerate(values[:MOST_COMPONENTS]))])
    page.blank()
    page.flow([f"{safe(str(said.get('response', 'response')))}, {said.get('law', '')}, on"], style="dim")
    page.table(["term", *map(str, range(1, len(shown) + 1))], rows, range(1, len(shown) + 1))
    left = [counted(len(found) - len(shown), "more component")] if len(found) > len(shown) else []
    left += [counted(len(terms) - MOST_TERMS, "more term")] if len(terms) > MOST_TERMS else []
    if left:
        page.flow([f"… and {' and '.join(left)} in coefficients.csv"], style="dim")


def _rows(
    terms: Sequence[object], shown: Sequence[Sequence[object]], errors: object, common: Sequence[object] = ()
) -> list[list[str]]:
    """A line for each of the first terms; with standard errors (as the coefficients stand) where there are any.

    What is common to all components is told in the column of the first, and said to be.
    """
    known = [row if isinstance(row, list) else [] for row in errors] if isinstance(errors, list) else []
    known += [[] for _ in range(len(shown) - len(known))]
    lines = []
    for at, term in enumerate(terms[:MOST_TERMS]):
        told = [_written(_at(row, at), _at(own, at)) for row, own in zip(shown, known, strict=False)]
        name, shared = shortened(safe(str(term)), LONGEST_NAME), term in common
        lines.append([f"{name} (all)", told[0], *("" for _ in told[1:])] if shared else [name, *told])
    return lines


def _at(values: Sequence[object], place: int) -> Any:
    return values[place] if place < len(values) else None


def _written(value: object, error: object) -> str:
    """A number, and its standard error if there is one."""
    found, uncertain = number(value), number(error)
    if found is None:
        return ""
    return f"{found:.4g}" if uncertain is None else estimate(found, uncertain)
