"""The tables of a report: components, models of a sweep, ends of the search."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from em_cli.documents.params_json import ComponentErrors
from em_cli.documents.selection_csv import SelectionRow
from em_cli.inference.reported import errors_of_components, short_p, test_in_table, tests_in_words
from em_cli.reports import criterion
from em_cli.reports.answer import in_words, mark, mean_and_deviation
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, figure_of, join, paragraph, split_table, table, tag
from em_cli.reports.numbers import percent, shown, with_error
from em_cli.reports.sizes import assigned
from em_cli.reports.style import short

MOST_COLUMNS = 200
MOST_COMPONENTS = 60
ON_PAPER = 4  # components that stand side by side on a page
MOST_MODELS = 60
LIGHTLY = "What is far from the best is searched lightly: its log-likelihood may be further from its own best."
OF_TESTS = "Is one component more than chance would make of it? Bootstrap likelihood-ratio tests:"
MOST_LEVELS = 4
RARE = 0.005  # a level that is less likely is not listed
VERDICTS = ("best", "same optimum", "worse", "degenerate", "stopped early")


def components(run: FinishedRun) -> Html:
    """A column for each component, a line for each column of the data."""
    k = min(run.k, MOST_COMPONENTS)
    heads = [join([mark(run, place), short(name)]) for place, name in enumerate(run.names[:k])]
    extra = [join([mark(run, run.k + place), name]) for place, name in enumerate(run.extra)]
    blank: list[Child] = ["—"] * len(extra)
    errors = errors_of_components(run.document, run.k) or ()
    weights: list[Child] = [_weight(float(weight), errors, place) for place, weight in enumerate(run.weights[:k])]
    rows: list[Child] = [f"{n:,.0f}" for n in assigned(run)[:k]]
    weights += [figure_of(float(weight), shown(float(weight), 3)) for weight in run.weights[run.k :]]
    rows += [f"{n:,.0f}" for n in assigned(run)[run.k :]]
    lines: list[list[Child]] = [["weight", "", *weights], ["likeliest for so many rows", "", *rows]]
    for place in run.described[:MOST_COLUMNS]:
        column = run.column(place)
        family = run.group_of(place).family.replace("_", " ")
        kind = column.type if family == column.type else f"{column.transform or column.type}, {family}"
        cells = _levels(run, column.name, k) if column.levels else _numbers(run, column.name, k, errors)
        lines.append([short(column.name), kind, *cells, *blank])
    what = "mean ± standard error (standard deviation)" if errors else "mean (standard deviation)"
    made = split_table(
        f"Components: {what} of numbers, the likeliest levels of categories",
        ["", "described as", *heads, *extra],
        lines,
        fixed=2,
        most=ON_PAPER,
    )
    left = [f"{run.k - k} more components"] if run.k > k else []
    left += [f"{len(run.described) - MOST_COLUMNS} more columns"] if len(run.described) > MOST_COLUMNS else []
    return join([made, paragraph(f"{' and '.join(left)} in params.json.") if left else None])


def _weight(weight: float, errors: Sequence[ComponentErrors], place: int) -> Child:
    error = errors[place]["weight"] if errors else None
    return figure_of(weight, shown(weight, 3) + (f" ± {shown(error, 3)}" if error is not None else ""))


def _numbers(run: FinishedRun, name: str, k: int, errors: Sequence[ComponentErrors]) -> list[Child]:
    cells: list[Child] = []
    for place, component in enumerate(run.document["components"][:k]):
        error = errors[place]["mean"].get(name) if errors else None
        mean, sd = mean_and_deviation(run, place, name)
        words = in_words(run, place, name)
        if mean is not None and error is not None and name not in component.get("at_value", {}):
            words = with_error(mean, error, sd)
        cells.append(words if mean is None else figure_of(mean, words))
    return cells


def _levels(run: FinishedRun, name: str, k: int) -> list[Child]:
    cells: list[Child] = []
    for component in run.document["components"][:k]:
        levels: Mapping[str, float] = component.get("probabilities", {}).get(name, {})  # none of what is only given
        likely = sorted((level for level in levels if levels[level] >= RARE), key=lambda level: -levels[level])
        listed = [join([f"{short(level)} ", figure_of(levels[level], percent(levels[level]))]) for level in likely]
        more = [Html(f"… {len(listed) - MOST_LEVELS} more")] if len(listed) > MOST_LEVELS else []
        cells.append(Html("<br>".join([*listed[:MOST_LEVELS], *more])))
    return cells


def selection(run: FinishedRun) -> Html:
    """The models of a sweep, best first."""
    name = criterion.criterion_of(run)
    best = criterion.chosen(run)
    fitted = sorted(
        (row for rows in criterion.series(run).values() for row in rows), key=lambda row: criterion.value_of(row, name)
    )
    failed = [row for row in run.selection if not any(row is other for other in fitted)]
    searched = any(row.get("searches") for row in run.selection)
    made, reached = ("searches", "reached") if searched else ("starts", "at_best")
    ordered = [*fitted, *failed]
    tested = any(row.get("test_stop") for row in run.selection)
    lines = [
        _model(row, row is best, name, criterion.value_of(best, name), made, reached) for row in ordered[:MOST_MODELS]
    ]
    for line, row in zip(lines, ordered, strict=False):
        line[-1:-1] = [_p(row)] if tested else []
    caption = f"Models by {name.upper()} (lower is better)"
    headings = [
        "model",
        "k",
        "log-likelihood",
        "parameters",
        name.upper(),
        "difference",
        "reached",
        "smallest share",
        *(["p of k + 1"] if tested else []),
        "",
    ]
    left = len(ordered) - MOST_MODELS
    more = paragraph(f"{left} more in selection.csv.") if left > 0 else None
    light = any(row.get("depth") == "light" for row in ordered[:MOST_MODELS])
    why = paragraph(LIGHTLY) if light else None
    said = tests_in_words(run.selection)
    tests = paragraph(f"{OF_TESTS} {said}.") if said else None
    return join([table(caption, headings, lines, class_="numbers noted"), more, why, tests])


def _p(row: Mapping[str, object]) -> str:
    """Of the test of one component more."""
    test = test_in_table(row)
    return "—" if test is None or test["p"] is None else short_p(test).removeprefix("= ")


def _model(row: SelectionRow, chosen: bool, name: str, best: float, made: str, reached: str) -> list[Child]:
    own, covariance, value = str(row["model"]), str(row.get("covariance") or ""), row.get(name)
    label = f"{own} ({covariance})" if covariance not in ("", own) else own
    known = isinstance(value, int | float)
    unclear = "≈ " if row.get("clear") is False else ""
    note = str(row.get("note") or "")
    return [
        tag("strong", label) if chosen else label,
        str(row["k"]),
        _figure(row.get("log_likelihood"), 3),
        str(row.get("n_parameters") or "—"),
        _figure(value, 2),
        f"{unclear}{value - best:.1f}" if known and isinstance(value, int | float) else "—",
        _hits(row, made, reached),
        "—" if (least := row.get("smallest_share")) is None else percent(float(least)),
        tag("strong", note) if chosen else note,
    ]


def _hits(row: Mapping[str, object], made: str, reached: str) -> str:
    if row.get("depth") == "light":
        return "searched lightly"
    return f"{row[reached]} of {row[made]}" if row.get(made) else "—"


def _figure(value: object, decimals: int) -> Child:
    return figure_of(float(value), shown(float(value), decimals)) if isinstance(value, int | float) else "—"


def ledger(run: FinishedRun) -> Html:
    """What became of the climbs of the model, by where they started."""
    own = [entry for entry in run.restarts if run.is_of_model(entry["covariance"], entry["k"])]
    counts = {kind: Counter(str(e["verdict"]) for e in own if e["start"] == kind) for kind in _kinds(own)}
    verdicts = [verdict for verdict in VERDICTS if any(count[verdict] for count in counts.values())]
    highest = {
        kind: max(
            (float(e["log_likelihood"]) for e in own if e["start"] == kind and e["log_likelihood"] is not None),
            default=None,
        )
        for kind in counts
    }
    lines: list[list[Child]] = [
        [kind, str(sum(count.values())), *(str(count[verdict] or "") for verdict in verdicts), shown(highest[kind], 3)]
        for kind, count in counts.items()
    ]
    caption = f"What became of the {len(own):,} starts of the model"
    return table(caption, ["started from", "starts", *verdicts, "highest log-likelihood"], lines, class_="numbers")


def _kinds(entries: Sequence[Mapping[str, object]]) -> list[str]:
    """Kinds of starts, the most frequent first."""
    return [kind for kind, _ in Counter(str(entry["start"]) for entry in entries).most_common()]
