"""How well a mixture describes its rows, and how far apart its components are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.bootstrap import limits
from em_cli.reports.distances import Measure, classes_of, distances
from em_cli.reports.finished_run import FinishedRun, Rows

SURE = 0.9  # a responsibility that leaves little doubt
DRAWN = 50_000  # rows from the model that stand for its distribution
VISIBLE = 0.02  # a difference of probabilities that is seen in a picture
PER_PARAMETER = 2.0  # rows that a free parameter of a component should rest on
TINY = 0.01  # of all rows
Grade = Literal["none", "slight", "some", "poor", "unknown"]


@dataclass(frozen=True, slots=True)
class FitCheck:
    """What was compared with what the model says, the worst first, and how far chance is known."""

    misfits: list[Misfit]
    collapsed: int  # replicates that the model could not be fitted to again


@dataclass(frozen=True, slots=True)
class Misfit:
    """Between the observed and the fitted distribution of a column, or of two together."""

    places: tuple[int, ...]
    distance: float  # between 0 and 1
    measure: Measure
    noise: float  # what no distance of a true model would reach in 29 reports out of 30; NaN where none can tell

    @property
    def place(self) -> int:
        return self.places[0]

    @property
    def grade(self) -> Grade:
        """By how much the largest difference of probabilities exceeds what chance makes."""
        if np.isnan(self.noise):
            return "unknown"
        if self.distance <= max(self.noise, VISIBLE):
            return "none"
        return "slight" if self.distance < 0.05 else "some" if self.distance < 0.1 else "poor"


def overlap(rows: Rows) -> Array:
    """(K, K) the mean probability of component j for a row of component i: how often these two are confused."""
    shared = rows.mass @ rows.responsibilities.T
    found: Array = shared / np.maximum(rows.mass.sum(axis=1), np.finfo(float).tiny)[:, None]
    return found


def entropy(rows: Rows) -> float:
    """Mean entropy of the responsibilities of a row, in nats."""
    r = rows.responsibilities
    surprise = -(r * np.log(np.where(r > 0, r, 1.0))).sum(axis=0)
    return float(np.average(surprise, weights=rows.weights))


def entropy_r_squared(rows: Rows) -> float:
    """1 − E / log K: one where every row is certain, zero where all are open (Ramaswamy et al. 1993)."""
    return 1 - entropy(rows) / float(np.log(len(rows.responsibilities)))


def sure(rows: Rows) -> float:
    """Share of the rows that belong to a component beyond little doubt."""
    return float(np.average(rows.responsibilities.max(axis=0) >= SURE, weights=rows.weights))


def poorly_founded(run: FinishedRun) -> list[tuple[int, str]]:
    """Components that rest on too little, and why."""
    free = (float(run.document["n_parameters"]) - run.k + 1) / run.k
    n = float(run.document["n_for_bic"])
    found = []
    for place, component in enumerate(run.document["components"]):
        rows = float(component["n_effective"])
        if component["degenerate"]:
            found.append((place, "its density is as high as the resolution of the data allows: it may be an artefact"))
        elif rows < PER_PARAMETER * free:
            found.append((place, f"it rests on {rows:,.1f} rows and has about {free:,.1f} parameters of its own"))
        elif rows < TINY * n:
            found.append((place, f"it holds {rows / n:.2%} of the rows"))
    return found


def misfits(run: FinishedRun) -> list[Misfit]:
    """Of every column whose distribution can be compared, the worst first."""
    return [misfit for misfit in fit_check(run).misfits if len(misfit.places) == 1]


def fit_check(run: FinishedRun) -> FitCheck:
    """Of every column and every pair of columns that can be compared, the worst first."""
    classes = classes_of(run)
    found = distances(run, classes, DRAWN)
    chance = limits(run, classes, found)
    made = [
        Misfit(each.places, each.value, each.measure, noise) for each, noise in zip(found, chance.values, strict=True)
    ]
    return FitCheck(sorted(made, key=lambda misfit: -misfit.distance), chance.collapsed)


def worst_pairs(confused: Array, least: float = 0.01, most: int = 5) -> list[tuple[int, int, float]]:
    """Pairs (i, j) of components that are confused more often than `least`, the worst first."""
    pairs: Sequence[tuple[int, int]] = [(i, j) for i in range(len(confused)) for j in range(len(confused)) if i != j]
    found = [(i, j, float(confused[i, j])) for i, j in pairs if confused[i, j] >= least]
    return sorted(found, key=lambda pair: -pair[2])[:most]
