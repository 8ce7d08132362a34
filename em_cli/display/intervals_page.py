"""Confidence intervals by resampling, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10
from typing import Any

from em_cli.display.component_table import shortened
from em_cli.display.text_page import Page

LONGEST_NAME = 24
WIDEST = 100
MOST_DECIMALS = 6  # of fixed point
DIGITS = 2  # of a standard error
WANTED = ("weights", "mean", "sd")


def intervals_page(found: Mapping[str, Any], width: int, color: bool) -> str:
    """The intervals of weights, means and standard deviations; how many replicates they are from."""
    page = Page(min(width, WIDEST), color)
    rows = [_row(one) for one in found["intervals"] if one["parameter"].partition("[")[0] in WANTED]
    headings = ["component", "", "column", "estimate", "se", f"{found['level']:.0%} from", "to"]
    if found["withheld"] is None:
        page.table(headings, [row for row in rows if row[4]], (0, 3, 4, 5, 6))
        fixed = sum(not row[4] for row in rows)
        if fixed:
            page.words(f"{fixed} numbers that no replicate changed are left out.", style="dim")
    else:
        page.words(f"No intervals: {found['withheld']}. The components may be real; these data do not say how large.")
    page.words(_counts(found), style="dim")
    if found["replicates"] < found["wanted"]:
        why = "Interrupted before" if found["stopped"] == "interrupted" else "There was no time for"
        page.words(f"{why} all {found['wanted']:,}; the same with --resume goes on.")
    if found["searched"]:
        page.words(
            _elsewhere(found["better_elsewhere"], found["searched"]), style="" if found["better_elsewhere"] else "dim"
        )
    return page.text()


def _row(one: Mapping[str, Any]) -> list[str]:
    name = {"weights": "weight"}.get(one["parameter"].partition("[")[0], one["parameter"].partition("[")[0])
    error = one["se_bootstrap"]
    if error is None:
        return [str(one["component"]), name, one["column"] or "", "", "", "", ""]
    decimals = max(0, DIGITS - 1 - floor(log10(error))) if error > 0 else MOST_DECIMALS
    numbers = (one["estimate"], error, one["low"], one["high"])
    told = [f"{value:.{decimals}f}" if decimals <= MOST_DECIMALS else f"{value:.2e}" for value in numbers]
    return [str(one["component"]), name, shortened(one["column"] or "", LONGEST_NAME), *told]


def _elsewhere(better: int, searched: int) -> str:
    """Whether the intervals are of a choice between solutions as well."""
    if not better:
        return f"In none of {searched} that were searched anew was another solution better than the one near this fit."
    return (
        f"In {better} of {searched} that were searched anew another solution was better than the one near this fit: "
        "the intervals describe this solution, not the choice between the two."
    )


def _counts(found: Mapping[str, Any]) -> str:
    parts = [f"{found['kept']:,} kept"]
    parts += [f"{found[key]:,} {key}" for key in ("ambiguous", "lost", "unfinished") if found[key]]
    what = "rows left out one by one" if found["kind"] == "jackknife" else f"{found['kind']} replicates"
    return f"{found['replicates']:,} {what}: {', '.join(parts)}."
