"""What the components of a fit are called, and in which order they stand: as given, or as in an earlier model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.rows import Block, Source, picked
from em_cli.engine.scoring import component_log_density, log_densities, score_block
from em_cli.errors import DataError, UsageError
from em_cli.inference.matching import AMBIGUOUS, distances, matched
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.search_found import finite
from em_cli.outputs.tables import csv_text
from em_cli.sources.quoting import plural
from em_cli.sources.schema import Schema

MOST_ROWS = 20_000  # on which components are compared; of more, so many at even distances
FAR = 9.0  # nats between components that are not taken for the same: normal ones, three standard deviations apart
PLAIN = "component "
COLUMNS = (
    "component", "name", "weight", "previous_component", "previous_name", "previous_weight", "distance", "margin",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Was:
    """A component of an earlier model."""

    component: int  # its number, from 1
    name: str
    weight: float
    distance: float  # nats
    margin: float | None  # by which every assignment without it is farther; None if there is none


@dataclass(frozen=True, slots=True, eq=False)
class Naming:
    """The components in this order, by these names; and how they go with those of an earlier model."""

    order: Integers  # (K,)
    names: tuple[str, ...]
    was: tuple[Was | None, ...] = ()  # each component in the earlier model
    about: dict[str, Any] | None = None  # of all of them

    def rows(self, weights: Sequence[float]) -> Iterator[str]:
        """`matched.csv`."""
        before = ("component", "name", "weight")

        def each() -> Iterator[dict[str, object]]:
            for place, (name, weight, was) in enumerate(zip(self.names, weights, self.was, strict=True), 1):
                told = dict.fromkeys((*before, "distance", "margin")) if was is None else asdict(was)
                earlier = {f"previous_{key}": told.pop(key) for key in before}
                yield {"component": place, "name": name, "weight": weight} | earlier | told

        return csv_text(COLUMNS, each())


@dataclass(frozen=True, slots=True, eq=False)
class Previous:
    """An earlier model, whose names stay."""

    loaded: LoadedModel
    sha256: str  # of its file

    def naming(self, model: Model, found: Parameters, schema: Schema, source: Source, order: Integers) -> Naming:
        """Of a fit, whose components would else stand in this order; new ones stand last, in it."""
        rows = picked(source, np.linspace(0, source.n_rows - 1, min(source.n_rows, MOST_ROWS)).astype(np.intp))
        own_r, own = _of_fit(model, found, rows)
        cells = self._cells(rows.x, schema)
        before = self.loaded.with_gaps if np.isnan(cells[~self.loaded.gaps]).any() else self.loaded
        old = component_log_density(before.model, before.parameters, cells)
        weights = np.array(self.loaded.document["weights"], np.float64)
        old_r = _shares(old, weights)
        if rows.weights is not None:
            own_r, old_r = own_r * rows.weights, old_r * rows.weights
        pairs = matched(distances(old_r, old, own_r, own))
        known = {
            int(new): Was(int(place) + 1, self._names[place], float(weights[place]), float(distance), finite(margin))
            for place, new, distance, margin in zip(
                pairs.first, pairs.second, pairs.distance, pairs.margins, strict=True
            )
            if distance <= FAR
        }
        same = sorted(known, key=lambda new: known[new].component)
        order = np.array([*same, *(new for new in order.tolist() if new not in known)], np.intp)
        names = _fresh([known[new].name if new in known else None for new in order.tolist()], self._names)
        was = tuple(known.get(new) for new in order.tolist())
        gone = [name for name in self._names if name not in {one.name for one in known.values()}]
        unclear = [one.name for one in known.values() if one.margin is not None and one.margin < AMBIGUOUS]
        about = {"previous_sha256": self.sha256, "margin": finite(pairs.margin), "ambiguous": unclear, "gone": gone}
        return Naming(order, names, was, about)

    @property
    def _names(self) -> list[str]:
        return [str(one["name"]) for one in self.loaded.document["components"]]

    def check(self, schema: Schema) -> None:
        """`DataError` if the earlier model is not of these columns."""
        own, names = set(schema.names), set(self.loaded.schema.names)
        if own != names:
            other = ", ".join(map(repr, sorted(own ^ names)))
            raise DataError(
                f"--match: the earlier model is of other columns ({other} in one of the two only). Fit the same ones, "
                "by --columns."
            )

    def _cells(self, x: Array, schema: Schema) -> Array:
        """(D, n) as the earlier model knows them: its columns in their order, its codes of levels."""
        found = np.empty_like(x)
        for place, column in enumerate(self.loaded.schema.columns):
            at = schema.names.index(column.name)
            now = schema.columns[at].levels
            if tuple(now) == tuple(column.levels):
                found[place] = x[at]
                continue
            codes = np.array([column.levels.index(level) if level in column.levels else np.nan for level in now])
            seen = ~np.isnan(x[at])
            found[place] = np.nan
            found[place, seen] = codes[x[at, seen].astype(np.intp)]
        return found


def check_names(names: Sequence[str], k: int) -> None:
    """`UsageError` if they are not so many, or two are alike."""
    if len(names) != k:
        there = f"there {'is' if k == 1 else 'are'} {plural(k, 'component')}"
        raise UsageError(f"--names gives {plural(len(names), 'name')}, and {there}.")
    if len(set(names)) < len(names):
        raise UsageError("--names must be different from each other.")


def plain(order: Integers, labels: Sequence[str]) -> Naming:
    """By labels where these are known, else by number."""
    known = dict(enumerate(labels))
    return Naming(order, tuple(known.get(old, f"{PLAIN}{new}") for new, old in enumerate(order.tolist(), 1)))


def _of_fit(model: Model, found: Parameters, rows: Block) -> tuple[Array, Array]:
    """Responsibilities and log-densities (K, n)."""
    stacked = stack([found])
    density = log_densities(model, stacked, rows.x, np.zeros((1, model.n_components)))[0]
    density += model.family.base_measure(rows.x)
    if model.latent.needs_groups:
        return _shares(density, np.exp(model.latent.log_prior(stacked.latent)[0])), density
    return score_block(model, found, rows).responsibilities[: model.n_components], density


def _shares(log_density: Array, weights: Array) -> Array:
    """(K, n) by Bayes' rule."""
    joint = log_density + np.log(np.maximum(weights, np.finfo(float).tiny))[:, None]
    joint = np.exp(joint - joint.max(axis=0))
    shares: Array = joint / joint.sum(axis=0)
    return shares


def _fresh(names: Sequence[str | None], taken: Sequence[str]) -> tuple[str, ...]:
    """Those that are None exchanged for numbers that none has had."""
    used, number, found = set(taken), len(taken), list[str]()
    for name in names:
        while name is None and f"{PLAIN}{number + 1}" in used:
            number += 1
        if name is None:
            number += 1
        found.append(name if name is not None else f"{PLAIN}{number}")
    return tuple(found)
