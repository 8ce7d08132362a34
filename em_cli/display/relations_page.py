"""Components and other columns, on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.display.component_table import shortened
from em_cli.display.text_page import Page
from em_cli.documents.relations_json import LogOdds, MeansOf, Related, Relations, SharesOf, Wald
from em_cli.inference.intervals import MOST_LOST
from em_cli.inference.reported import tail_in_words
from em_cli.printable import estimate, safe, spread

LONGEST_NAME = 24
WIDEST = 100
MOST_LEVELS, MOST_COMPONENTS = 12, 8
METHODS = {
    "bch": "rows weighted so that errors of classification cancel (BCH)",
    "ml": "errors of classification known to the likelihood (ML)",
}


def relations_page(found: Relations, width: int, color: bool) -> str:
    """What outcomes are like in each component, who is in which, and how well rows are assigned."""
    page = Page(min(width, WIDEST), color)
    for one in found["outcomes"]:
        _outcome(page, one, found)
    if (on := found["on"]) is not None:
        _heading(page, "log-odds of the components against the first, on", on, found)
        _logits(page, on)
        for term, test in on["tests"].items():
            if test is not None and len(found["components"]) > 2:
                page.words(f"{safe(term)}: {_test(test)}", style="dim")
        if on["separated"]:
            page.words(
                "These columns part components nearly without exception: log-odds run away, and mean no more than that "
                "they are large."
            )
        page.blank()
    right = ", ".join(f"{100 * row[k]:.0f} %" for k, row in enumerate(found["classification"]))
    page.words(f"Expected to be assigned rightly, by component: {right}.", style="dim")
    if found["replicates"]:
        refits = f"{found['replicates']} refits to rows drawn from the model"
        page.words(f"Errors of classification are corrected by {refits}.", style="dim")
    told = [(one["resamples"], one["resamples_lost"]) for one in (*found["outcomes"], on) if one is not None]
    kept, lost = min(told)
    if kept:
        page.words(f"Standard errors are by {kept} resamples, with all three steps done again.", style="dim")
        if lost > MOST_LOST * (kept + lost):
            page.words(
                f"{lost} more lost a component: the errors say nothing of whether it is there, and are too small."
            )
        return page.text()
    known = "; what the fit leaves open of the components is in them" if found["first_step"] else ""
    page.words(f"Standard errors are robust{known}.", style="dim")
    return page.text()


def _outcome(page: Page, one: MeansOf | SharesOf, found: Relations) -> None:
    _heading(page, f"{safe(one['column'])} in each component", one, found)
    if one["kind"] == "means":
        _means(page, one, found["components"])
    else:
        _shares(page, one, found["components"])
    if one["equal"] is not None:
        page.words(f"Are they equal? {_test(one['equal'])}")
    page.blank()


def _heading(page: Page, title: str, one: Related, found: Relations) -> None:
    left = f", {one['n_left_out']:,} without it left out" if one["n_left_out"] else ""
    page.flow([title], style="bold")
    page.words(f"{one['n']:,} {found['units']}{left}; {METHODS[one['method']]}", style="dim")


def _means(page: Page, one: MeansOf, names: Sequence[str]) -> None:
    rows = [
        [_name(name), estimate(mean, error), "" if sd is None else f"{sd:.3g}"]
        for name, mean, error, sd in zip(names, one["means"], one["standard_errors"], one["sds"], strict=True)
    ]
    page.table(["component", "mean", "sd"], rows, (0, 1, 2))


def _shares(page: Page, one: SharesOf, names: Sequence[str]) -> None:
    levels = one["levels"][:MOST_LEVELS]
    rows = [
        [_name(name), *(f"{p:.3f} ± {spread(error)}" for p, error in zip(own[: len(levels)], uncertain, strict=False))]
        for name, own, uncertain in zip(names, one["shares"], one["standard_errors"], strict=True)
    ]
    page.table(["component", *(shortened(safe(level), LONGEST_NAME) for level in levels)], rows, range(len(levels) + 1))
    if len(one["levels"]) > len(levels):
        page.flow([f"… and {len(one['levels']) - len(levels)} more levels in relate.csv"], style="dim")


def _logits(page: Page, on: LogOdds) -> None:
    shown = list(zip(on["coefficients"], on["standard_errors"], strict=True))[:MOST_COMPONENTS]
    rows = [
        [shortened(safe(term), LONGEST_NAME), *(estimate(own[at], error[at]) for own, error in shown)]
        for at, term in enumerate(on["terms"])
    ]
    page.table(["term", *(str(k + 2) for k in range(len(shown)))], rows, range(1, len(shown) + 1))


def _name(name: str) -> str:
    return shortened(safe(name.removeprefix("component ")), LONGEST_NAME)


def _test(test: Wald) -> str:
    return f"Wald χ² = {test['statistic']:.4g}, df {test['df']}, {tail_in_words(test['p'])}"
