"""Tests of the number of components, on a terminal."""

from __future__ import annotations

from em_cli.display.text_page import Page
from em_cli.documents.tests_json import OneTest, Tests
from em_cli.inference.reported import p_in_words

WIDEST = 100


def tests_page(found: Tests, width: int, color: bool) -> str:
    """A line for each test, and the last of them in words."""
    page = Page(min(width, WIDEST), color)
    headings = ["components", "twice the gain", "replicates", "as large", "p"]
    page.table(headings, [_row(one) for one in found["tests"]], (1, 2, 3))
    page.blank()
    page.words(_words(found["tests"][-1], found["replicates"]))
    for one in found["tests"]:
        if one["lost"] and one["p"] is not None:
            page.words(_of_lost(one), style="dim")
    return page.text()


def _row(one: OneTest) -> list[str]:
    numbers = (f"{one['statistic']:.2f}", f"{one['replicates']:,}", f"{one['exceed']:,}")
    return [f"{one['k1']} against {one['k0']}", *numbers, p_in_words(one)]


def _words(one: OneTest, wanted: int) -> str:
    smaller, larger = one["k0"], one["k1"]
    difference = one["bic_difference"]
    by_bic = f"BIC prefers K = {larger if difference < 0 else smaller} by {abs(difference):.2f}."
    told = f"K = {larger} against {smaller}: twice the gain in log-likelihood is {one['statistic']:.1f}; "
    if one["p"] is None:
        return told + (
            f"but of {one['replicates'] + one['lost']:,} data sets drawn from the fitted K = {smaller}, "
            f"{one['lost']:,} have {_unsound(one)}, and there is no p-value. Models with fewer parameters for each "
            f"component collapse less. {by_bic}"
        )
    told += (
        f"of {one['replicates']:,} data sets drawn from the fitted K = {smaller}, {_reached(one)}: {p_in_words(one)}. "
    )
    if one["stop"].startswith("more"):
        told += "More data sets would not make p small, and were not drawn. "
    elif one["stop"].startswith("no time"):
        told += "There was no time for more; the same with --resume goes on. "
    elif one["stop"] == "interrupted":
        told += f"Interrupted before all {wanted:,} were drawn; the same with --resume goes on. "
    if one["p"] <= 0.05:
        told += (
            "This says that one more component of this shape describes the rows better, not that there are "
            f"{larger} groups; with many rows it is often so. "
        )
    else:
        told += f"One component more gains no more than it often does by chance where there are {smaller}. "
    return told + by_bic


def _of_lost(one: OneTest) -> str:
    many = "One data set more has" if one["lost"] == 1 else f"{one['lost']:,} data sets more have"
    return f"{many} {_unsound(one)}; such take no part, as there is no test of data without one."


def _unsound(one: OneTest) -> str:
    return f"no sound fit of {one['k1']} components that is as high as a sound one of {one['k0']}"


def _reached(one: OneTest) -> str:
    return {0: "none gained as much", 1: "one gained as much"}.get(one["exceed"], f"{one['exceed']:,} gained as much")
