"""Confidence intervals by resampling, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from math import floor, log10

from em_cli.display.component_table import shortened
from em_cli.display.text_page import Page
from em_cli.documents.bootstrap_json import Intervals, OneInterval

LONGEST_NAME = 24
WIDEST = 100
MOST_DECIMALS = 6  # of fixed point
DIGITS = 2  # of a standard error
WANTED = {"weights": "weight", "mean": "mean", "sd": "sd", "probabilities": "share", "coefficients": "coefficient"}
MOST_ROWS = 60


def intervals_page(found: Intervals, width: int, color: bool) -> str:
    """The intervals of what components tell; how many replicates they are from.

    Weights, means and standard deviations, shares of levels, coefficients.
    """
    page = Page(min(width, WIDEST), color)
    rows = [_row(one) for one in found["intervals"] if _wanted(one)]
    headings = ["component", "", "column", "estimate", "se", f"{found['level']:.0%} from", "to"]
    if found["withheld"] is None:
        told = [row for row in rows if row[4]]
        page.table(headings, told[:MOST_ROWS], (0, 3, 4, 5, 6))
        if len(told) > MOST_ROWS:
            page.words(f"… and {len(told) - MOST_ROWS} more in intervals.csv", style="dim")
        hidden = _withheld(page, found)
        fixed = len(rows) - len(told) - sum(map(_wanted, hidden))
        if fixed:
            what = "numbers are left out: at the end of their" if fixed > 1 else "number is left out: at the end of its"
            page.words(f"{fixed} {what} range, or changed by no replicate.", style="dim")
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


def _withheld(page: Page, found: Intervals) -> list[OneInterval]:
    """Those that the replicates do not tell, and why."""
    hidden = [one for one in found["intervals"] if one["verdict"] == "withheld"]
    lost = {one["component"]: one["share_lost"] for one in hidden if _parameter(one) != "weights" and one["component"]}
    unclear = (
        f", and in {found['ambiguous'] / found['replicates']:.0%} it is unclear which it is"
        if found["ambiguous"]
        else ""
    )
    weights = ", nor for the weights" if any(_parameter(one) == "weights" for one in hidden) else ""
    for component, share in lost.items():
        page.words(
            f"No interval for component {component}{weights}: {share:.0%} of the replicates lost it{unclear}. "
            "It may be real; these data do not say how large it is."
        )
    return hidden


def _parameter(one: OneInterval) -> str:
    """`groups[1].probabilities[2][1]` is one of the probabilities."""
    return str(one["parameter"]).rpartition(".")[2].partition("[")[0]


def _wanted(one: OneInterval) -> bool:
    """Probabilities are wanted of levels: else the mean tells them."""
    parameter = _parameter(one)
    return parameter in WANTED and (parameter != "probabilities" or one["level"] is not None)


def _row(one: OneInterval) -> list[str]:
    of_weights = str(one["parameter"]).startswith("concomitant.")
    name, error = "log-odds" if of_weights else WANTED[_parameter(one)], one["se_bootstrap"]
    column = one["column"] or ""
    if one["level"] is not None:
        column = f"{shortened(column, LONGEST_NAME // 2)} = {shortened(one['level'], LONGEST_NAME // 2)}"
    if error is None:
        return [str(one["component"]), name, column, "", "", "", ""]
    decimals = max(0, DIGITS - 1 - floor(log10(error))) if error > 0 else MOST_DECIMALS
    numbers = (one["estimate"], error, one["low"], one["high"])
    told = [f"{value:.{decimals}f}" if decimals <= MOST_DECIMALS else f"{value:.2e}" for value in numbers]
    return [str(one["component"]), name, shortened(column, LONGEST_NAME), *told]


def _elsewhere(better: int, searched: int) -> str:
    """Whether the intervals are of a choice between solutions as well."""
    if not better:
        return f"In none of {searched} that were searched anew was another solution better than the one near this fit."
    return (
        f"In {better} of {searched} that were searched anew another solution was better than the one near this fit: "
        "the intervals describe this solution, not the choice between the two."
    )


def _counts(found: Mapping[str, object]) -> str:
    parts = [f"{found['kept']:,} kept"]
    parts += [f"{found[key]:,} {key}" for key in ("ambiguous", "lost", "unfinished") if found[key]]
    what = "rows left out one by one" if found["kind"] == "jackknife" else f"{found['kind']} replicates"
    return f"{found['replicates']:,} {what}: {', '.join(parts)}."
