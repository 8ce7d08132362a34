"""What was found, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from em_cli.reports import criterion
from em_cli.reports.diagnostics import SURE, sure
from em_cli.reports.html import Child, Html, bullets, join, paragraph, tag
from em_cli.reports.numbers import alike, percent, several
from em_cli.reports.profile import standardised
from em_cli.reports.run import Run
from em_cli.reports.sizes import assigned
from em_cli.reports.style import short

MOST_SAID = 3  # columns of each component
FAR = 0.5  # standard deviations from the mean of all rows that are worth a word
TELLING = 0.1  # by which the share of a level exceeds that among all rows


def sentences(run: Run, trust: str) -> Html:
    """How many groups, what they are like, how clearly they part, and how far this is to be trusted."""
    return join(
        [
            paragraph(*_how_many(run)),
            bullets([_component(run, place) for place in range(run.k)]) if run.k > 1 else None,
            paragraph(_noise(run)) if run.extra else None,
            paragraph(_clearness(run)) if len(run.names) > 1 else None,
            paragraph(_choice(run)) if run.selection else None,
            paragraph(f"The search: {trust}.") if trust else None,
            _doubts(run),
        ]
    )


def _how_many(run: Run) -> list[Child]:
    n = int(run.document["n_samples"])
    groups = several(run.k, "group")
    if run.selection and run.k > 1:
        return [f"The {n:,} rows of {run.data_name} are best described by ", tag("strong", groups), ":"]
    if run.k == 1:
        return [f"The {n:,} rows of {run.data_name} are described as ", tag("strong", "one group"), "."]
    return [f"The {n:,} rows of {run.data_name} were divided into ", tag("strong", groups), ":"]


def _component(run: Run, place: int) -> Html:
    """Its size, and the columns in which it differs most from all rows."""
    rows = assigned(run)[place]
    head = tag("strong", f"component {short(run.names[place])}")
    counted = "by weight" if run.document.get("weight_column") else "rows"
    size = f" holds {percent(float(run.weights[place]))} ({rows:,.0f} {counted})"
    traits = _traits(run, place, FAR) or _traits(run, place, 0.0)
    said = [text for _, text in sorted(traits, key=lambda trait: -trait[0])[:MOST_SAID]]
    return join([mark(run, place), head, size, f": {'; '.join(said)}." if said else "."])


def _traits(run: Run, place: int, far: float) -> list[tuple[float, str]]:
    """Of the columns that set the component apart so far: how far, and in which words."""
    component = run.document["components"][place]
    numbers = [at for at, column in enumerate(run.schema.columns) if not column.levels]
    away = standardised(run, numbers)[0][place] if numbers else ()
    found: list[tuple[float, str]] = []
    for at, z in zip(numbers, away, strict=True):
        name = run.column(at).name
        mean, sd = component["mean"].get(name), component["sd"].get(name)
        if mean is None or not isfinite(z) or abs(z) < far:
            continue
        (around,) = alike([mean], [sd])
        word = "middling" if abs(z) < FAR else "high" if z > 0 else "low"
        if run.column(at).type == "angle":
            word = "a direction of"
        found.append((abs(float(z)), f"{word} {short(name)}, {around}"))
    share = run.weights[: run.k] / run.weights[: run.k].sum()
    for name, levels in component.get("probabilities", {}).items():
        level = max(levels, key=lambda level: levels[level])
        usual = float(share @ [other["probabilities"][name][level] for other in run.document["components"]])
        if levels[level] - usual > TELLING:
            found.append((4 * (levels[level] - usual), f"{short(name)} {short(level)} in {percent(levels[level])}"))
    return found


def _noise(run: Run) -> str:
    return f"{percent(float(run.weights[-1]))} of the rows ({assigned(run)[-1]:,.0f}) belong to no group: noise."


def _clearness(run: Run) -> str:
    share = sure(run.shown)
    how = "clearly apart" if share > 0.95 else "mostly apart" if share > 0.8 else "not clearly apart"
    belong = f"{percent(share)} of the rows belong to one of them with a probability of {SURE} or more"
    return f"The groups are {how}: {belong}."


def _choice(run: Run) -> str:
    """By the criterion, with the runner-up."""
    name, best = criterion.criterion_of(run), criterion.chosen(run)
    values = [row for rows in criterion.series(run).values() for row in rows if row is not best]
    said = f"Of {len(run.selection)} models, {name.upper()} chooses {model(best)}"
    if not values:
        alone = f"Of {len(run.selection)} models, only {model(best)} has a sound fit: there was nothing to choose from."
        return alone if len(run.selection) > 1 else f"{said}."
    second = min(values, key=lambda row: row[name])
    away = second[name] - best[name]
    doubt = "; that is no more than the searches may have missed" if second.get("clear") is False else ""
    weight = "hardly worse" if away < 2 else "worse" if away < 10 else "clearly worse"  # Kass & Raftery (1995)
    return f"{said}. The runner-up, {model(second)}, is {weight}: {away:.1f} more{doubt}."


def model(row: Mapping[str, Any]) -> str:
    own, covariance = str(row["model"]), str(row.get("covariance") or "")
    return f"{own}{f' ({covariance})' if covariance not in ('', own) else ''} with k = {row['k']}"


def _doubts(run: Run) -> Html | None:
    n = len(run.document["warnings"])
    return (
        paragraph(
            tag(
                "a",
                f"There is {several(n, 'warning')}" if n == 1 else f"There are {several(n, 'warning')}",
                href="#warnings",
            ),
            ".",
        )
        if n
        else None
    )


def mark(run: Run, place: int) -> Html:
    """A spot in the colour of a component, as in the pictures."""
    return tag("span", class_=f"spot k{place}", aria_hidden="true")
