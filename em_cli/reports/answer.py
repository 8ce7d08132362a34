"""What was found, in plain sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np

from em_cli.criteria import CROSS_VALIDATION
from em_cli.documents.selection_csv import SelectionRow
from em_cli.engine.arrays import Array
from em_cli.printable import Pair, beside_mass, without_dust
from em_cli.reports import criterion
from em_cli.reports.diagnostics import SURE, sure
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, bullets, join, paragraph, tag
from em_cli.reports.moments import moments
from em_cli.reports.numbers import percent, several, shown, spread
from em_cli.reports.profile import standardised
from em_cli.reports.separation import about_each
from em_cli.reports.sizes import assigned
from em_cli.reports.style import short

MOST_SAID = 3  # columns of each component
FAR = 0.5  # standard deviations from the mean of all rows that are worth a word
OUTER = 0.31  # of all, farther out than that in a normal distribution
TELLING = 0.02  # nats about whether a row is of a component; what says less is not worth a word
FEW_CERTAIN = 0.8  # of the rows; where fewer are, the number of groups is in doubt


def sentences(run: FinishedRun, trust: str) -> Html:
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


def _how_many(run: FinishedRun) -> list[Child]:
    n, edge = int(run.document["n_samples"]), _at_edge(run)
    groups = f"{'at least ' if edge else ''}{several(run.k, 'group')}"
    rows, tried = f"The {n:,} rows of {run.data_name}", ", as far as tried" if edge else ""
    doubts = _in_doubt(run)
    if run.k == 1:
        return [f"{rows} are described as ", tag("strong", groups), f"{tried}."]
    how = "are best described by" if run.selection else "were divided into"
    open_to = [f"{tried}. That is open to doubt: {'; '.join(doubts)}. They are:"] if doubts else [f"{tried}:"]
    return [f"{rows} {how} ", tag("strong", groups), *open_to]


def _at_edge(run: FinishedRun) -> bool:
    """Whether more components may be better, none having been tried."""
    codes = {warning["code"] for warning in run.document["warnings"]}
    return "edge_of_range" in codes and run.k == max(int(row["k"]) for row in run.selection)


def _in_doubt(run: FinishedRun) -> list[str]:
    """Why one should not take the number of groups for granted."""
    codes, share = {warning["code"] for warning in run.document["warnings"]}, sure(run.shown)
    said = [f"{run.k} is the most that was tried"] if _at_edge(run) else []
    said += ["this solution was found once only"] if "reached_once" in codes else []
    said += [f"just {percent(share)} of the rows clearly belong to one of them"] if share < FEW_CERTAIN else []
    return said + (["a longer search may choose another number"] if _runner_up_unclear(run) else [])


def _runner_up_unclear(run: FinishedRun) -> bool:
    """Whether a model of another number of components may come out before the choice, its search being short."""
    return any(row.get("clear") is False and row["k"] != criterion.chosen(run)["k"] for row in run.selection)


def _component(run: FinishedRun, place: int) -> Html:
    """Its size, and the columns that tell it from the others."""
    rows = assigned(run)[place]
    head = tag("strong", f"component {short(run.names[place])}")
    counted = "by weight" if run.document.get("weight_column") else "rows"
    share = percent(rows / max(sum(assigned(run)), 1.0))
    size = f": weight {shown(float(run.weights[place]), 2)}; likeliest for {rows:,.0f} {counted}, {share}"
    told = {at: about_each(run, at)[place] for at in run.described} if run.k > 1 else {}
    most = sorted(told, key=lambda at: -round(told[at], 9))[:MOST_SAID]
    said = [_trait(run, place, at) for at in most if at == most[0] or told[at] > TELLING]
    return join([mark(run, place), head, size, f": {'; '.join(said)}." if said else "."])


def _trait(run: FinishedRun, place: int, at: int) -> str:
    """What a column is like in a component."""
    component, column = run.document["components"][place], run.column(at)
    name = column.name
    if column.levels:
        share = run.weights[: run.k] / run.weights[: run.k].sum()
        others = [other["probabilities"][name] for other in run.document["components"]]
        levels = component["probabilities"][name]
        usual = {level: float(share @ [other[level] for other in others]) for level in levels}
        level = max(levels, key=lambda level: levels[level] - usual[level])
        return f"{short(name)} {short(level)} in {percent(levels[level])}"
    z, sd = (found[:, 0] for found in standardised(run, [at]))
    word = "a direction of " if column.type == "angle" else ""
    if not word and isfinite(z[place]):
        word = _level(run, place, at, z, sd)
    return f"{word}{short(name)}, {in_words(run, place, name)}"


def _level(run: FinishedRun, place: int, at: int, z: Array, sd: Array) -> str:
    """How a mean stands among all; z (K,) and sd are of the components, in deviations of all rows from their mean.

    Where a long tail leaves most near that mean, one is low that is by its own deviation below it, and below most
    components and rows.
    """
    own, share, x = z[place], run.weights[: run.k] / run.weights[: run.k].sum(), run.shown.x[at]
    if abs(own) >= FAR:
        return "high " if own > 0 else "low "
    if abs(own) < sd[place]:
        return "medium "
    mean = moments(run)[0][place, at]
    below = float(share @ (z < own) + share @ (z <= own)) / 2, float((x[~np.isnan(x)] < mean).mean())
    return "low " if max(below) < OUTER else "high " if min(below) > 1 - OUTER else "medium "


def mean_and_deviation(run: FinishedRun, place: int, name: str) -> Pair:
    """Of a column in a component; zero where they are but for rounding."""
    return without_dust([(own["mean"].get(name), own["sd"].get(name)) for own in run.document["components"]])[place]


def in_words(run: FinishedRun, place: int, name: str) -> str:
    """Mean and standard deviation of a column; of what is not at the value that many rows bear, and how many do."""
    mean, sd = mean_and_deviation(run, place, name)
    mass = run.document["components"][place].get("at_value", {}).get(name)
    if mass is None or mean is None or sd is None:
        return spread(mean, sd)
    value, p = float(mass["value"]), float(mass["probability"])
    rest = beside_mass(mean, sd, value, p)
    return f"{value:.6g} in {percent(p)}" + (f", else {spread(*rest)}" if rest[0] is not None else "")


def _noise(run: FinishedRun) -> str:
    return f"{percent(float(run.weights[-1]))} of the rows ({assigned(run)[-1]:,.0f}) belong to no group: noise."


def _clearness(run: FinishedRun) -> str:
    share = sure(run.shown)
    how = "clearly apart" if share > 0.95 else "mostly apart" if share > 0.8 else "not clearly apart"
    belong = f"{percent(share)} of the rows belong to one of them with a probability of {SURE} or more"
    return f"The groups are {how}: {belong}."


def _choice(run: FinishedRun) -> str:
    """By the criterion, with the runner-up."""
    name, best = criterion.criterion_of(run), criterion.chosen(run)
    values = [row for rows in criterion.series(run).values() for row in rows if row is not best]
    said = f"Of {len(run.selection)} models, {name.upper()} chooses {model(best)}"
    if not values:
        alone = f"Of {len(run.selection)} models, only {model(best)} has a sound fit: there was nothing to choose from."
        return alone if len(run.selection) > 1 else f"{said}."
    if name == CROSS_VALIDATION:
        return f"{said}. {_of_folds(best, values)}"
    second = min(values, key=lambda row: criterion.value_of(row, name))
    away = criterion.value_of(second, name) - criterion.value_of(best, name)
    if second.get("clear") is False:
        return f"{said}. The runner-up, {model(second)}, is {away:.1f} away, no more than the searches may have missed."
    weight = "hardly worse" if away < 2 else "worse" if away < 10 else "clearly worse"  # Kass & Raftery (1995)
    return f"{said}. The runner-up, {model(second)}, is {weight}: {away:.1f} more."


def _of_folds(best: SelectionRow, others: Sequence[SelectionRow]) -> str:
    """How the choice by cross-validation compares with the model of the highest density of rows left out."""
    highest = min([best, *others], key=lambda row: float(row["cv_gap"] or 0.0))
    if highest is best:
        return "Rows left out have the highest density under it, and no simpler model is within one standard error."
    return (
        f"Rows left out have the highest density under {model(highest)}, but the choice is simpler and within one "
        f"standard error of it: {float(best['cv_gap'] or 0.0):.3g} ± {float(best['cv_gap_se'] or 0.0):.2g} per row."
    )


def model(row: Mapping[str, object]) -> str:
    own, covariance = str(row["model"]), str(row.get("covariance") or "")
    return f"{own}{f' ({covariance})' if covariance not in ('', own) else ''} with k = {row['k']}"


def _doubts(run: FinishedRun) -> Html | None:
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


def mark(run: FinishedRun, place: int) -> Html:
    """A spot in the colour of a component, as in the pictures."""
    return tag("span", class_=f"spot k{place}", aria_hidden="true")
