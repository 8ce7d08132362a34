"""Tests of the number of components, on a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from em_cli.display.text_page import Page
from em_cli.inference.reported import p_in_words

WIDEST = 100


def tests_page(found: Mapping[str, Any], width: int, color: bool) -> str:
    """A line for each test, and the last of them in words."""
    page = Page(min(width, WIDEST), color)
    headings = ["components", "twice the gain", "replicates", "as large", "p"]
    page.table(headings, [_row(one) for one in found["tests"]], (1, 2, 3))
    page.blank()
    page.words(_words(found["tests"][-1], found["replicates"]))
    lost = sum(one["lost"] for one in found["tests"])
    if lost:
        page.words(f"{lost} replicates in which a component of the smaller model collapsed are left out.", style="dim")
    return page.text()


def _row(one: Mapping[str, Any]) -> list[str]:
    numbers = (f"{one['statistic']:.2f}", f"{one['replicates']:,}", f"{one['exceed']:,}")
    return [f"{one['k1']} against {one['k0']}", *numbers, p_in_words(one)]


def _words(one: Mapping[str, Any], wanted: int) -> str:
    smaller, larger = one["k0"], one["k1"]
    told = (
        f"K = {larger} against {smaller}: twice the gain in log-likelihood is {one['statistic']:.1f}; of "
        f"{one['replicates']:,} data sets drawn from the fitted K = {smaller}, {_reached(one)}: {p_in_words(one)}. "
    )
    if one["stop"].startswith("more"):
        told += "More data sets would not make p small, and were not drawn. "
    elif one["stop"].startswith("no time"):
        told += "There was no time for more; the same with --resume goes on. "
    elif one["stop"] == "interrupted":
        told += f"Interrupted before all {wanted:,} were drawn; the same with --resume goes on. "
    if one["p"] is not None and one["p"] <= 0.05:
        told += (
            "This says that one more component of this shape describes the rows better, not that there are "
            f"{larger} groups; with many rows it is often so. "
        )
    else:
        told += f"One component more gains no more than it often does by chance where there are {smaller}. "
    difference = one["bic_difference"]
    return told + f"BIC prefers K = {larger if difference < 0 else smaller} by {abs(difference):.2f}."


def _reached(one: Mapping[str, Any]) -> str:
    return {0: "none gained as much", 1: "one gained as much"}.get(one["exceed"], f"{one['exceed']:,} gained as much")
