"""Runs side by side, on a terminal."""

from __future__ import annotations

from em_cli.display.component_table import shortened
from em_cli.display.text import nats
from em_cli.display.text_page import Page
from em_cli.documents.comparison_json import ComparedMean, ComparedPair, Comparison, MatchedPair
from em_cli.inference.reported import tail_in_words

LONGEST_NAME, LONGEST_RUN, LONGEST_MODEL = 24, 18, 12
MOST_MEANS = 4  # of a component, those that differ most
WIDEST = 100
FAR = 1000  # standard errors, beyond which their number says nothing


def comparison(found: Comparison, width: int, color: bool) -> str:
    """The table of the runs, and what is to be said of each two of them."""
    page = Page(min(width, WIDEST), color)
    _runs(page, found)
    for pair in found["pairs"]:
        page.blank()
        _pair(page, pair, found["n_rows"])
    return page.text()


def _runs(page: Page, found: Comparison) -> None:
    rows = []
    for run in found["runs"]:
        delta, entropy = run["delta_bic"], run["entropy_r2"]
        rows.append(
            [
                shortened(run["run"], LONGEST_RUN),
                shortened(run["structure"] or run["family"], LONGEST_MODEL),
                str(run["n_components"]),
                _number(run["log_likelihood"], 3),
                str(run["n_parameters"] or "—"),
                _number(run["bic"], 2),
                "—" if delta is None else f"{delta:.1f}",
                "—" if entropy is None else f"{entropy:.3f}",
                f"{run['smallest_weight']:.3f}",
            ]
        )
    headings = ["run", "model", "k", "loglik", "params", "BIC", "ΔBIC", "entropy R²", "least"]
    page.table(headings, rows, range(2, len(headings)))
    if not found["same_data"]:
        page.words("They were fitted to different data: no BIC can be compared with another's.", style="dim")
    elif not found["comparable"]:
        page.words("They describe other rows or columns, or these in other ways: BIC is not compared.", style="dim")
    page.words(f"Judged by {found['n_rows']:,} rows that all of them describe.", style="dim")


def _pair(page: Page, pair: ComparedPair, n_rows: int) -> None:
    page.line((f"{pair['first']} against {pair['second']}", "bold"))
    if pair["mean_difference"] is not None:
        error = "" if pair["standard_error"] is None else f" ± {pair['standard_error']:.4f}"
        told = f"{pair['mean_difference']:+.4f}{error} nats per row"
        vuong = "" if pair["vuong_z"] is None else f" (Vuong z {pair['vuong_z']:+.2f}, less the penalty of BIC)"
        page.words(f"Log-density of the first above the second: {told}{vuong}.")
        if pair["vuong_withheld"]:
            page.words(f"No test by Vuong: {pair['vuong_withheld']}.", style="dim")
    if (test := pair["likelihood_ratio"]) is not None:
        page.words(
            f"{test['within']} is {test['wider']} with {test['df']} parameters held: likelihood-ratio statistic "
            f"{test['statistic']:.2f}, {tail_in_words(test['p'])}."
        )
    moved = pair["n_rows_moved"]
    page.words(
        f"Agreement of the likeliest components: adjusted Rand index {pair['adjusted_rand']:.3f}; "
        f"{moved:,} rows ({moved / n_rows:.1%}) are in another component."
    )
    rows = [row for match in pair["matched"] for row in _match(match)]
    headings = ["first", "second", "distance", "weights", "mean of", "first", "second", "apart"]
    page.table(headings, rows, (0, 1, 2, 5, 6, 7))
    for alone, which in ((pair["unmatched_first"], "first"), (pair["unmatched_second"], "second")):
        if alone:
            page.words(f"Only in the {which}: component {', '.join(map(str, alone))}.")
    if pair["ambiguous"]:
        page.words("Another assignment of the components is as near: which is which is not certain.")


def _match(match: MatchedPair) -> list[list[str]]:
    """A component and which it is in the other run; the means that differ most, each on a line."""
    distance = match["distance"]
    own = [
        str(match["first"]),
        str(match["second"]),
        "—" if distance is None else f"{distance:.3g}",
        f"{match['weight_first']:.3f} {match['weight_second']:.3f}",
    ]
    means = sorted(match["means"], key=lambda mean: -abs(mean["difference_in_errors"] or 0))[:MOST_MEANS]
    told = [_mean(mean) for mean in means] or [["", "", "", ""]]
    return [(own if place == 0 else [""] * len(own)) + mean for place, mean in enumerate(told)]


def _mean(mean: ComparedMean) -> list[str]:
    errors = mean["difference_in_errors"]
    in_errors = "" if errors is None or abs(errors) > FAR else f"{errors:+.1f} se"
    name = shortened(mean["column"], LONGEST_RUN)
    return [
        name,
        f"{mean['first']:.4g}",
        f"{mean['second']:.4g}",
        in_errors.replace("-0.0", "0.0").replace("+0.0", "0.0"),
    ]


def _number(value: float | None, decimals: int) -> str:
    return "—" if value is None else nats(value, decimals)
