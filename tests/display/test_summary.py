"""The summaries at the end of a run."""

import copy
import re
import shlex
import subprocess

import pytest
from display.runs import NASTY
from rich.cells import cell_len

from em_cli.display.closing import Beside
from em_cli.display.mean_and_sd import aligned
from em_cli.display.search_words import trust
from em_cli.display.summary import fit_summary, selection_summary
from em_cli.display.text_page import Page
from em_cli.printable import estimate

FAITHFUL = {
    "family": "gaussian", "structure": "VVV", "covariance_type": "full", "n_components": 2,
    "feature_names_in": ["eruptions", "waiting"], "weights": [0.644, 0.356],
    "covariances": [[[0.17, 0.94], [0.94, 36.05]], [[0.069, 0.435], [0.435, 33.70]]],
    "components": [
        {"component": 1, "weight": 0.644127, "n_assigned": 175, "degenerate": False,
         "mean": {"eruptions": 4.28966, "waiting": 79.968}, "sd": {"eruptions": 0.41227, "waiting": 6.0038}},
        {"component": 2, "weight": 0.355873, "n_assigned": 97, "degenerate": False,
         "mean": {"eruptions": 2.03639, "waiting": 54.478}, "sd": {"eruptions": 0.26300, "waiting": 5.8049}},
    ],
    "log_likelihood": -1130.26396, "n_parameters": 11, "bic": 2322.19174, "aic": 2282.52792, "icl": 2322.70468,
    "converged": True, "stop_reason": "converged", "n_iter": 13, "remaining_estimate": 0.0003,
    "search": {"starts": 20, "at_best": 17, "failed": 0, "degenerate": 0}, "warnings": [],
}  # fmt: skip

SEARCHES = {"effort": "normal", "searches": 6, "reached": 3, "starts": 80, "at_best": 9}


def summary(document=FAITHFUL, least_certain=None, **more):
    said = {"read_line": "faithful.csv: 272 rows × 2 numeric columns", "warnings": document.get("warnings")}
    return fit_summary(document, Beside(**(said | more)), least_certain)


def wide(names, k=2):
    """A document with other columns."""
    document = copy.deepcopy(FAITHFUL) | {"feature_names_in": names, "covariances": None}
    component = document["components"][0]
    document["components"] = [
        component | {"component": i + 1, "mean": dict.fromkeys(names, 1.5), "sd": dict.fromkeys(names, 0.25)}
        for i in range(k)
    ]
    return document


def test_faithful():
    text = summary(
        written=["params.json", "trace.csv"],
        folder="faithful.em",
        suggestions=["em show faithful.em"],
        least_certain=("244", 0.8),
    )
    assert (
        text
        == """\
Gaussian mixture, VVV (full), k = 2                   converged in 13 iterations
faithful.csv: 272 rows × 2 numeric columns

 component  weight  rows    eruptions      waiting     corr
         1   0.644   175  4.290 (0.412)  79.97 (6.00)  +0.38
         2   0.356    97  2.036 (0.263)  54.48 (5.80)  +0.29
 In brackets: the standard deviation of the rows.

 log-likelihood -1130.264   parameters 11
 BIC 2322.192   AIC 2282.528   ICL 2322.705   (lower is better)
 best of 20 starts, reached 17 times; about 0.0003 log-likelihood units remain;
 least certain row: 244 (p = 0.80)

Written to faithful.em/:  params.json  trace.csv
Try:  em show faithful.em
"""
    )


@pytest.mark.parametrize("width", [20, 40, 60, 80, 100])
def test_commands_are_folded_for_the_shell(width):
    """Between options, and never within an argument; what is copied is what was meant."""
    typed = ("--columns", "a b,Größe 東京", "-q", "--type", "Total spend=lognormal")
    given = ["em", "select", "it's mine.csv", "--na", "-", *typed, "x"]
    command = shlex.join(given)
    page = Page(width, False)
    page.command("Try:  ", command)
    begin, *lines = page.text().splitlines()
    assert begin.startswith("Try:  em") and all(line.startswith(" " * 10) for line in lines)
    read = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {page.text().removeprefix('Try:  ')}"], capture_output=True, text=True, check=True
    )
    assert read.stdout.splitlines() == given
    if width >= 60:
        assert all(cell_len(line) <= width for line in (begin, *lines))


def test_lines_end_between_words_and_not_in_quotes():
    page = Page(30, False)
    page.words("use --type 'Total spend'=categorical, or rows' own -k with k = 3", indent="")
    assert page.text().splitlines() == ["use --type", "'Total spend'=categorical, or", "rows' own -k with k = 3"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "best of 20 starts, reached 17 times; about 0.0003 log-likelihood units remain"),
        ({"search": {"starts": 20, "at_best": 1}}, "best of 20 starts, reached once;"),
        ({"search": {"starts": 20, "at_best": 20}}, "all 20 starts reached this value;"),
        ({"search": {"starts": 20, "at_best": 2, "degenerate": 3}}, "reached twice; 3 collapsed and set aside;"),
        ({"search": {"starts": 1, "at_best": 1}}, "from one start only: another may lead higher;"),
        ({"search": SEARCHES}, "best of 6 searches, reached 3 times;"),
        ({"search": SEARCHES | {"reached": 1}}, "best of 6 searches, reached once;"),
        ({"search": SEARCHES | {"reached": 6}}, "all 6 searches reached this value;"),
        ({"search": SEARCHES | {"searches": 2, "reached": 2}}, "both searches reached this value;"),
        (
            {"search": SEARCHES | {"effort": "low", "searches": 1, "reached": 1}},
            "one search only: another may lead higher (--effort normal);",
        ),
        ({"search": SEARCHES | {"effort": None}}, "best of 80 starts, reached 9 times;"),
        ({"start": "given", "search": {"starts": 1, "at_best": 1}}, "run from the start that was given;"),
        ({"n_components": 1}, "one component: every start leads here;"),
        ({"remaining_estimate": 0.0}, "less than 0.0001 log-likelihood units remain"),
        ({"remaining_estimate": 1234.5}, "about 1,234 log-likelihood units remain"),
        ({"remaining_estimate": None, "converged": False}, "how much remains to gain is unknown"),
    ],
)
def test_trust_in_words(changes, said):
    assert said in trust(FAITHFUL | changes) + ";"


def test_endings():
    cut = summary(FAITHFUL | {"converged": False, "stop_reason": "time_limit", "n_iter": 1147})
    assert "k = 2 " in cut and cut.splitlines()[0].endswith(" out of time after 1,147 iterations")
    stopped = summary(FAITHFUL | {"converged": False, "stop_reason": "max_iterations", "n_iter": 1000})
    assert "stopped at 1,000 iterations, not converged" in stopped
    assert "interrupted after 1 iteration" in summary(
        FAITHFUL | {"converged": False, "stop_reason": "interrupted", "n_iter": 1}
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("n", [1, 2, 5, 17, 30, 45])
def test_every_column_fits(width, n):
    names = [f"a_rather_long_name_of_column_{i}" if i % 3 else f"x{i}" for i in range(n)]
    text = summary(wide(names), width=width)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.count("1.500 (0.250)") == 2 * min(n, 30)
    assert ("… and 15 more columns in params.json" in text) is (n == 45)
    assert "…_column_" not in text or "a_rather_lon…f_column_1" in text


def test_many_components():
    text = summary(wide(["x", "y"], k=100))
    assert "… and 60 more components in params.json" in text
    assert len(text.splitlines()) < 60


@pytest.mark.parametrize("color", [False, True])
def test_names_are_harmless(color):
    text = summary(wide([NASTY, "[/red]", ":smile:"]), color=color, folder=NASTY, written=["a"], read_line=NASTY)
    assert "\x1b[31m[bold]" not in text
    assert "\\x1b[31m[bold]red[/bold]\\n名前" in re.sub("\x1b\\[[0-9;]*m", "", text)
    assert "[/red]" in text and ":smile:" in text
    assert ("\x1b" in text) is color


def test_a_point_mass_is_told_apart_from_the_rest():
    """Half of the cells are 0, the others 4 ± 2: together their mean is 2 and their standard deviation √6."""
    mass = {"value": 0.0, "probability": 0.5}
    first = FAITHFUL["components"][0]
    own = {"mean": {"rain": 2.0}, "sd": {"rain": 6**0.5}, "at_value": {"rain": mass}}
    document = FAITHFUL | {"feature_names_in": ["rain"], "components": [first | own], "covariances": None}
    text = summary(document)
    assert "rain ≠ 0" in text and "rain = 0" in text and "4.00 (2.00)" in text and "0.50" in text
    assert "±" not in text and "2.449" not in text


def test_no_correlation_is_minus_zero():
    covariances = [[[1.0, -0.001], [-0.001, 1.0]], [[1.0, 0.5], [0.5, 1.0]]]
    text = summary(FAITHFUL | {"covariances": covariances})
    assert "-0.00" not in text and " 0.00" in text and "+0.50" in text


def test_doubtful_components_and_warnings():
    document = copy.deepcopy(FAITHFUL)
    document["components"][1]["degenerate"] = True
    document["warnings"] = [{"code": "few_rows", "message": "a component rests on 2 rows. " * 5}]
    text = summary(document)
    assert text.count("doubtful") == 1
    assert "\n ! a component rests" in text
    assert max(map(cell_len, text.splitlines())) <= 80


def test_a_model_file_by_another_hand():
    """Only what is there is told; nonsense is passed over."""
    least = {"family": "student_t", "n_components": 3, "components": [{}, {"mean": "x"}], "feature_names_in": ["a"]}
    assert summary(least).startswith("Student t mixture, k = 3")
    assert "Gaussian mixture" in summary({"family": "gaussian", "bic": "low", "search": 3, "warnings": "none"})
    assert "corr" not in summary(FAITHFUL | {"covariances": [[1], [2]]})


@pytest.mark.parametrize(
    ("pairs", "shown"),
    [
        ([(4.28966, 0.41227), (2.03639, 0.263)], ["4.290 (0.412)", "2.036 (0.263)"]),
        ([(3692.1, 456.3), (10.0, 502.4)], ["3692 (456)", "  10 (502)"]),
        ([(24.71, 18.637), (0.875, 0.808)], ["24.7   (18.6) ", " 0.875 (0.808)"]),
        ([(-0.0003, 1.25), (-1.0, 0.5)], [" 0.00  (1.25) ", "-1.000 (0.500)"]),
        ([(1.6e9, 3.2), (1.6e9 + 7, 2.5)], ["1600000000.00 (3.20)", "1600000007.00 (2.50)"]),
        ([(1.234e9, 2e8), (2.5e9, 3e8)], ["1.234e+09 (2.00e+08)", "2.500e+09 (3.00e+08)"]),
        ([(1.234e-9, 2e-10)], ["1.234e-09 (2.00e-10)"]),
        ([(80.0, 6.0), (54.0, 1e-9)], ["80.00     (6.00)   ", "54.000000 (1.0e-09)"]),
        ([(1e9, 1e-9)], ["1000000000.00000 (1.0e-09)"]),
        ([(0.0, 0.0)], ["0.0 (0.0)"]),
        ([(float("nan"), float("nan")), (1.0, 0.5)], ["—     (—)    ", "1.000 (0.500)"]),
    ],
)
def test_numbers_are_readable(pairs, shown):
    assert aligned(pairs) == shown


@pytest.mark.parametrize(
    ("pairs", "errors", "shown"),
    [
        (
            [(4.28966, 0.41227), (2.03639, 0.263)],
            [0.0314, 0.0271],
            ["4.290 ± 0.031 (0.41)", "2.036 ± 0.027 (0.26)"],
        ),
        ([(3701.2, 457.3), (-0.001, 502.4)], [37.1, float("nan")], ["3701 ± 37 (457)", "   0 ± —  (502)"]),
    ],
)
def test_standard_errors_stand_between(pairs, errors, shown):
    assert aligned(pairs, errors) == shown


def test_what_is_said_of_standard_errors():
    """In a table of their own signs; robust ones where the model is in doubt; and what the data hardly tell."""
    own = {
        "components": [
            {"component": k, "weight": 0.03, "mean": {"eruptions": 0.03, "waiting": 0.5}, "sd": {}} for k in (1, 2)
        ]
    }
    errors = {"reported": "robust", "robust_ratio": 1.31, "information_left": 0.0043, "observed": own, "robust": own}
    text = summary(FAITHFUL | {"standard_errors": errors | {"hardly_told": ["weights[1]", "groups[1].rates[2][1]"]}})
    said = " ".join(text.split())
    assert "0.644 ± 0.030" in said and "4.290 ± 0.030 (0.41)" in said
    assert "up to 1.3 times the model's own" in said and "The ± above are the robust ones." in said
    assert "hardly tell the weight of component 1, the rates of component 2 apart: as little as 0.43 % is left" in said
    plain = errors | {"reported": "observed", "robust_ratio": 1.1, "information_left": 0.5, "hardly_told": []}
    said = " ".join(summary(FAITHFUL | {"standard_errors": plain}).split())
    assert "robust" not in said and "hardly" not in said


ROWS = [
    {"model": "VVV", "covariance": "full", "k": 2, "log_likelihood": -1130.264, "n_parameters": 11,
     "bic": 2322.19, "aic": 2282.5, "starts": 20, "at_best": 20, "note": ""},
    {"model": "EEE", "covariance": "tied", "k": 3, "log_likelihood": -1126.316, "n_parameters": 11,
     "bic": 2314.30, "aic": 2274.6, "starts": 20, "at_best": 7, "note": "chosen"},
    {"model": "VVV", "covariance": "full", "k": 9, "log_likelihood": None, "n_parameters": None,
     "bic": None, "aic": None, "starts": 20, "at_best": 0, "note": f"every start collapsed {NASTY} " * 3},
    {"model": "VVV", "covariance": "full", "k": 300, "log_likelihood": None, "n_parameters": None,
     "bic": None, "aic": None, "starts": None, "at_best": None, "note": "fewer distinct rows than components"},
]  # fmt: skip


def test_selection():
    text = selection_summary(ROWS, ROWS[1], "bic", Beside("faithful.csv", folder="f.em", written=["selection.csv"]))
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert lines[2].split() == ["model", "k", "loglik", "params", "BIC", "ΔBIC", "best", "hit", "note"]
    assert lines[3].split() == ["EEE", "(tied)", "3", "-1126.316", "11", "2314.30", "0.0", "7/20", "◀", "chosen"]
    assert lines[4].split() == ["VVV", "(full)", "2", "-1130.264", "11", "2322.19", "7.9", "20/20"]
    assert "—" in lines[5] and "every start" in lines[5]
    said = "Chosen by BIC (lower is better): EEE (tied), k = 3. Runner-up: VVV (full), k = 2, 7.9 away."
    assert said in text.replace("\n", " ")
    assert "mclust prints the negative: -2314.30." in text
    assert text.endswith("Written to f.em/:  selection.csv\n")


def test_differences_that_the_searches_may_have_missed():
    rows = [row | {"searches": 6, "reached": 3, "clear": row["k"] != 2} for row in ROWS]
    lines = selection_summary(rows, rows[1], "bic", Beside(), "normal").splitlines()
    assert lines[2].split() == ["VVV", "(full)", "2", "-1130.264", "11", "2322.19", "≈", "7.9", "3/6"]
    assert lines.count(" ≈ no more than the searches may have missed") == 1
    assert lines[1].split()[-3:] == ["3/6", "◀", "chosen"]
    assert "≈" not in selection_summary([row | {"clear": True} for row in ROWS], ROWS[1], "bic", Beside())


def test_notes_that_had_to_be_cut_are_told_below():
    less = "less than k = 2: a better fit was not found"
    notes = {1: "chosen", 2: "", 3: less, 4: less}
    rows = [ROWS[0] | {"k": k, "bic": 2322.0 + k, "note": note} for k, note in notes.items()]
    text = selection_summary(rows, rows[0], "bic", Beside())
    assert text.count("…") == 2
    assert f" VVV (full), k = 3; VVV (full), k = 4: {less}" in text.replace("\n", "")
    short = [row | {"note": "chosen; 2 rows" if row["k"] == 1 else "3 rows"} for row in rows]
    assert "VVV (full), k = 3" not in selection_summary(short, short[0], "bic", Beside())


def test_selection_by_another_criterion():
    text = selection_summary(ROWS, ROWS[1], "aic", Beside())
    assert "ΔAIC" in text and "mclust" not in text
    alone = selection_summary(ROWS[1:2], ROWS[1], "bic", Beside())
    assert "Runner-up" not in alone


def test_long_selection_is_cut():
    rows = [
        ROWS[0] | {"k": k, "bic": 2322.0 + k, "note": "chosen; at the edge of the range" * (k == 1)}
        for k in range(1, 41)
    ]
    text = selection_summary(rows, rows[0], "bic", Beside(folder="f.em", color=True, width=100))
    assert "… 25 more in selection.csv" in text
    assert "◀ chosen; at the edge of the range" in text
    assert "1.0 away: hardly worse" in text.replace("\n", " ")


def test_what_a_climb_has_left_above_zero_is_zero():
    assert [one.split() for one in aligned([(3.6e-17, 6e-9), (1.07, 1.0)])] == [["0.0", "(0.0)"], ["1.07", "(1.00)"]]
    narrow = aligned([(5.0, 6e-9), (1.07, 1.0)])
    assert "6.0e-09" in narrow[0], "a mean with hardly any spread says so"


def test_a_title_that_is_too_long_hides_nothing():
    document = copy.deepcopy(FAITHFUL) | {"groups": [{"family": "gaussian"}, {"family": "zero_inflated_lognormal"}]}
    lines = summary(document, width=60).splitlines()
    assert "…" not in "".join(lines[:3]) and any(line.startswith("converged") for line in lines[:3])


@pytest.mark.parametrize(
    ("value", "error", "told"),
    [
        (7.262, 1.0, "7.3 ± 1.0"),
        (-0.0871, 0.014, "-0.087 ± 0.014"),
        (2310.4, 176.2, "2310 ± 176"),
        (30.0, 9.0, "30.0 ± 9.0"),
    ],
)
def test_an_estimate_has_the_decimals_that_its_error_deserves(value, error, told):
    assert estimate(value, error) == told
