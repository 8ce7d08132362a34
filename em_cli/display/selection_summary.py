"""What a sweep says in the end: its table, best first, and the choice in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import Any

from em_cli.criteria import CROSS_VALIDATION
from em_cli.display.closing import Beside, tell_end
from em_cli.display.search_words import number
from em_cli.display.text import nats
from em_cli.display.text_page import Page
from em_cli.inference.reported import short_p, test_in_table, tests_in_words
from em_cli.printable import safe

MOST_ROWS = 15
BARE_MENTION = 2.0  # Kass & Raftery (1995)
NAMES = {"aicc": "AICc", "sabic": "saBIC", "icl_entropy": "ICL (entropy)", "elbo": "-2 ELBO"}
NEGATED_BY_MCLUST = ("bic", "icl")
UNCLEAR, LIGHT = "≈", "light"
SEARCHES, STARTS = ("searches", "reached"), ("starts", "at_best")  # of how many, how many came to the best


def selection_summary(
    rows: Sequence[Mapping[str, object]],
    chosen: Mapping[str, object],
    criterion: str,
    beside: Beside,
    effort: str | None = None,
) -> str:
    """The table of a sweep, by the criterion; what was chosen, and how far away the next is.

    `effort` is that of the searches; None if a number of starts was asked for.
    """
    page = beside.page()
    name = criterion_name(criterion)
    by_value = sorted(rows, key=lambda row: _value(row, criterion))
    best = _value(chosen, criterion)
    if beside.read_line:
        page.words(beside.read_line, indent="", style="dim")
        page.blank()
    shown, letters = by_value[:MOST_ROWS], _letters(rows)
    cut = _table(page, shown, chosen, criterion, name, best, SEARCHES if effort else STARTS, letters)
    for family, letter in letters.items():
        page.words(f"{letter} {safe(family)}", style="dim")
    if len(rows) > MOST_ROWS:
        where = " in selection.csv" if beside.folder else ""
        page.line((f" … {len(rows) - MOST_ROWS} more{where}", "dim"))
    if any(row.get("clear") is False for row in shown):
        page.line((f" {UNCLEAR} no more than the searches may have missed", "dim"))
    if any(row.get("depth") == LIGHT for row in shown):
        page.line((f" {LIGHT}: far from the best, not searched to the end (--effort high does)", "dim"))
    _tell_notes(page, cut)
    page.blank()
    page.words(_choice(by_value, chosen, criterion, name, best), indent="")
    if said := tests_in_words(rows):
        page.words(f"Is one component more than chance (p, k+1)? {said}.", indent="")
    if criterion in NEGATED_BY_MCLUST and isfinite(best):
        page.words(f"mclust prints the negative: {-best:.2f}.", indent="", style="dim")
    tell_end(page, beside)
    return page.text()


def _table(
    page: Page,
    rows: Sequence[Mapping[str, object]],
    chosen: Mapping[str, object],
    criterion: str,
    name: str,
    best: float,
    hits: tuple[str, str],
    letters: Mapping[str, str],
) -> list[Mapping[str, object]]:
    """The table; the rows whose notes had to be cut."""
    headings = ["model", "k", "loglik", "params", name, f"Δ{name}", "best hit", "note"]
    tested, made, styles = any(row.get("test_stop") for row in rows), [], []
    headings[-1:-1] = ["p, k+1"] if tested else []
    for row in rows:
        value, is_chosen = _value(row, criterion), _same(row, chosen)
        cells = [
            _model(row, letters),
            str(row.get("k", "")),
            _decimal(number(row.get("log_likelihood")), 3),
            "" if row.get("n_parameters") is None else str(row["n_parameters"]),
            _decimal(value, 2),
            _away(row, value - best),
            _hits(row, hits),
            *([_p(row)] if tested else []),
            _note(row, is_chosen),
        ]
        made.append(cells)
        styles.append("bold green" if is_chosen else "")
    return [rows[place] for place in page.table(headings, made, range(1, len(headings) - 1), styles)]


def _tell_notes(page: Page, rows: Sequence[Mapping[str, object]]) -> None:
    """The notes for which the table had no room, each once."""
    told: dict[str, list[str]] = {}
    for row in rows:
        told.setdefault(str(row.get("note") or "").removeprefix("chosen").lstrip("; "), []).append(model_name(row))
    for note, names in told.items():
        page.words(f"{'; '.join(names)}: {note}", style="dim")


def _choice(
    rows: Sequence[Mapping[str, object]], chosen: Mapping[str, object], criterion: str, name: str, best: float
) -> str:
    if criterion == CROSS_VALIDATION:
        return _choice_of_folds(rows, chosen)
    tried = ", as far as tried" if "at the edge of the range" in str(chosen.get("note")) else ""
    said = f"Chosen by {name} (lower is better){tried}: {model_name(chosen)}."
    second = next((row for row in rows if not _same(row, chosen) and isfinite(_value(row, criterion))), None)
    if second is None:
        others = len(rows) > 1
        return f"Nothing to choose from: {model_name(chosen)} is the only one with a sound fit." if others else said
    away = _value(second, criterion) - best
    close = ": hardly worse" if away < BARE_MENTION else ""
    return f"{said} Runner-up: {model_name(second)}, {away:.1f} away{close}."


def _choice_of_folds(rows: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> str:
    """The model of the highest density of rows left out, and why it is or is not the choice."""
    ranked = [row for row in rows if number(row.get("cv_gap")) is not None]
    best = min(ranked, key=lambda row: float(row["cv_gap"]), default=chosen)
    if len(ranked) < 2:
        return f"Nothing to choose from: {model_name(chosen)} is the only one with a sound fit."
    highest = f"{float(best['cv_per_row']):.3f} ± {float(best['cv_se']):.3f}"
    said = f"The log density of rows left out is highest for {model_name(best)}: {highest} per row."
    if _same(best, chosen):
        return f"{said} No simpler model is within one standard error of it. Chosen: {model_name(chosen)}."
    gap, error = float(chosen["cv_gap"]), float(chosen["cv_gap_se"])
    digits = max(3, 1 - floor(log10(error))) if error > 0 else 3
    apart = f"{gap:.{digits}f} ± {error:.{digits}f} less"
    own = model_name(chosen)
    return f"{said} {own} is within one standard error of it ({apart}), and simpler. Chosen: {own}."


def criterion_name(criterion: str) -> str:
    return NAMES.get(criterion, criterion.upper())


def model_name(row: Mapping[str, object]) -> str:
    """The model of a row, in words."""
    return f"{_model(row)}, k = {row.get('k')}"


def models_named(rows: Sequence[Mapping[str, object]]) -> str:
    """Several models in words, those that differ in the number of components only together."""
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(_model(row), []).append(str(row.get("k")))
    return "; ".join(f"{model}, k = {', '.join(ks)}" for model, ks in found.items())


def _value(row: Mapping[str, object], criterion: str) -> float:
    value = number(row.get(criterion))
    return float("inf") if value is None or value != value else value


def _same(a: Mapping[str, object], b: Mapping[str, object]) -> bool:
    return all(a.get(key) == b.get(key) for key in ("model", "covariance", "k"))


def _letters(rows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """For ways to take the columns, whose names are too long for a table."""
    families = list(dict.fromkeys(str(row.get("family") or "") for row in rows))
    if not any("=" in family for family in families):
        return {}
    return {family: f"[{place}]" for place, family in enumerate(families, 1)}


def _model(row: Mapping[str, object], letters: Mapping[str, str] | None = None) -> str:
    own, family, model = row.get("covariance") or "", str(row.get("family") or ""), str(row.get("model") or "")
    covariance = f" ({own})" if own not in ("", model) else ""
    if letters and family in letters:
        model = f"{letters[family]}{model.removeprefix(family)}"
    return safe(f"{model}{covariance}")


def _away(row: Mapping[str, object], delta: float) -> str:
    """How far from the best; marked where that is no more than the searches may have missed."""
    if not isfinite(delta):
        return ""
    return f"{UNCLEAR} {delta:.1f}" if row.get("clear") is False else f"{delta:.1f}"


def _p(row: Mapping[str, object]) -> str:
    """Of the test of one component more."""
    test = test_in_table(row)
    return "" if test is None or test["p"] is None else short_p(test).removeprefix("= ")


def _hits(row: Mapping[str, object], keys: tuple[str, str]) -> str:
    if row.get("depth") == LIGHT:
        return LIGHT
    made, hits = (number(row.get(key)) for key in keys)
    return f"{int(hits)}/{int(made)}" if made and hits is not None else ""


def _note(row: Mapping[str, object], is_chosen: bool) -> str:
    note = str(row.get("note") or "")
    if is_chosen:
        rest = note.removeprefix("chosen").lstrip("; ")
        return f"◀ chosen{'; ' + safe(rest) if rest else ''}"
    return safe(note)


def _decimal(value: float | None, decimals: int) -> str:
    return "—" if value is None else nats(value, decimals)
