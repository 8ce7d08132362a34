"""A run as pictures and reports see it: the model, what became of the search, and the rows that are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.documents.manifest_json import Manifest
from em_cli.documents.params_json import Params
from em_cli.documents.selection_csv import SelectionRow
from em_cli.documents.tables_csv import RestartRow
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.documents import field as field_of
from em_cli.engine.expectation import Parameters
from em_cli.engine.family import Ellipsoids, Support
from em_cli.engine.model import Model
from em_cli.engine.objectives import ELBO
from em_cli.engine.scoring import component_log_density
from em_cli.families.transformed import SUPPORTS
from em_cli.models.groups import Group, grouped_places, regression_in
from em_cli.models.point_masses import point_mass
from em_cli.reports.how_sure import UNKNOWN, Certainty
from em_cli.sources.schema import Column, Schema

HAIR = 1e-6  # of what is drawn
MOST_ROWS = 20_000  # are shown; of more, a sample of as many
CONTINUOUS = ("numeric", "positive", "semicontinuous", "proportion", "angle")  # types of columns that have densities
NUMERIC = ("numeric", "positive", "semicontinuous", "proportion", "count")  # of those that have means


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows that were fitted: all of them, or a sample."""

    x: Array  # (D, m), NaN where a cell is missing
    weights: Array | None  # (m,)
    responsibilities: Array  # (K, m); (K + 1, m) with that of the noise last, where there is noise
    log_density: Array  # (m,)
    numbers: Integers  # (m,) of the data rows, from 1
    n_fitted: int
    path: Integers | None = None  # (m,) states on the most probable paths, where rows follow each other: in that order
    sequence: Integers | None = None  # (m,) in which each row is, from 0
    step: Integers | None = None  # (m,) and at which step of it, from 0

    @property
    def n(self) -> int:
        return len(self.numbers)

    @property
    def component(self) -> Integers:
        """(m,) the likeliest, from 0; K is noise."""
        likeliest: Integers = self.responsibilities.argmax(axis=0)
        return likeliest

    @property
    def mass(self) -> Array:
        """(K, m) what each row counts in each component."""
        return self.responsibilities if self.weights is None else self.responsibilities * self.weights

    def some(self, most: int) -> Rows:
        """So many of them at most."""
        if self.n <= most:
            return self
        kept = sample(self.n, most)
        return replace(
            self,
            x=self.x[:, kept],
            weights=None if self.weights is None else self.weights[kept],
            responsibilities=self.responsibilities[:, kept],
            log_density=self.log_density[kept],
            numbers=self.numbers[kept],
            path=None if self.path is None else self.path[kept],
            sequence=None if self.sequence is None else self.sequence[kept],
            step=None if self.step is None else self.step[kept],
        )


def sample(n: int, most: int = MOST_ROWS) -> Integers:
    """The places, ascending, of the rows out of n that are shown: the same each time."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng((n, most)).choice(n, most, replace=False))


@dataclass(frozen=True, slots=True, eq=False)
class Climb:
    """A climb of the search."""

    number: int
    covariance: str
    k: int
    start: str  # what it climbed from
    values: Array  # (n,) log-likelihood of each iteration, or what else is climbed
    objective: str  # what it climbed in the end
    log_likelihoods: Array  # (n,) of each iteration
    verdict: str
    on_sample: bool  # its values are those of a part of the rows

    @property
    def climbed(self) -> str:
        """The same in words."""
        if self.objective == ELBO:
            return "evidence lower bound"
        word = self.objective.partition(" ")[0].removesuffix("log_likelihood").replace("_", " ")
        return f"{word} log-likelihood".strip()


@dataclass(frozen=True, slots=True, eq=False)
class FinishedRun:
    """All that a picture or a section of a report may need of a run."""

    name: str  # of the run folder
    data_name: str  # to show
    document: Params  # params.json
    schema: Schema
    groups: tuple[Group, ...]
    model: Model  # in the user's units; any cell may be missing
    parameters: Parameters
    elliptic: tuple[Ellipsoids, ...]
    climbs: tuple[Climb, ...]
    restarts: tuple[RestartRow, ...]  # restarts.csv
    selection: tuple[SelectionRow, ...]  # selection.csv; none of a fit
    manifest: Manifest  # manifest.json
    rows: Rows | None  # None if no picture that is wanted shows any
    certainty: Certainty = UNKNOWN  # what em bootstrap and em test have left there

    @property
    def k(self) -> int:
        return self.model.n_components

    @property
    def extra(self) -> tuple[str, ...]:
        """The names of the outcomes beyond the components."""
        return self.model.latent.extra

    @property
    def weights(self) -> Array:
        """Of the components (K,), and behind them of the outcomes beyond them."""
        return np.array(
            [*self.document["weights"], *(field_of(self.document, name) for name in self.extra)], np.float64
        )

    def is_of_model(self, covariance: str | None, k: int) -> bool:
        """Whether a climb was one of the model that was chosen; of a sweep of families it names these too."""
        own = self.document.get("covariance_type") or ""
        chosen = (row["family"] for row in self.selection if str(row["note"] or "").startswith("chosen"))
        families = (self.document["family"], next(chosen, None))
        return k == self.k and (covariance or "") in (own, *(f"{name} {own}".strip() for name in families))

    @property
    def names(self) -> tuple[str, ...]:
        """Of the components, from the labels where there are any, and of the outcomes beyond them."""
        own = [str(component["name"]).removeprefix("component ") for component in self.document["components"]]
        return (*own, *self.extra)

    @property
    def shown(self) -> Rows:
        assert self.rows is not None, "a picture that needs rows is drawn with them"
        return self.rows

    @property
    def described(self) -> tuple[int, ...]:
        """Places of the columns that a family has to do with; others tell the mixing weights alone."""
        return grouped_places(self.groups)

    def places(self, wanted: Sequence[str]) -> tuple[int, ...]:
        """Of the columns of these types that have a law of their own; a response has one given others only."""
        regression = regression_in(self.groups)
        return tuple(
            place
            for place in self.described
            if self.schema.columns[place].type in wanted and not (regression and place in regression.columns)
        )

    @property
    def numeric(self) -> tuple[int, ...]:
        """Places of the columns that have means."""
        return self.places(NUMERIC)

    def column(self, place: int) -> Column:
        return self.schema.columns[place]

    def group_of(self, place: int) -> Group:
        return next(group for group in self.groups if place in group.columns)

    def support_of(self, place: int) -> Support | None:
        """The cells that the family of a column can describe, or its transformation take; None if any will do."""
        if (transform := self.column(place).transform) is not None:
            return SUPPORTS[transform]
        return self.group_of(place).build(self.schema, "").support

    def beside(self, place: int) -> tuple[int, ...] | None:
        """The columns that must be known for a cell of a column to have a law; None if it has none."""
        support, columns = self.support_of(place), self.group_of(place).columns
        beside = support.beside(columns.index(place)) if support else ()
        return beside and tuple(columns[other] for other in beside)

    def allows(self, places: Sequence[int], values: Array) -> Flags:
        """(m,) whether columns of one family can hold the values (len(places), m) in one row."""
        support, columns = self.support_of(places[0]), self.group_of(places[0]).columns
        if support is None:
            return np.ones(values.shape[1], np.bool_)
        x = np.full((len(columns), values.shape[1]), np.nan)
        x[[columns.index(place) for place in places]] = values
        return np.asarray(support.allows(x).all(axis=0))

    def log_density(self, places: Sequence[int], values: Array) -> Array:
        """(K, m), and of what is beyond the components, at values (len(places), m) of some columns.

        The other columns are integrated out.
        """
        x = np.full((len(self.schema.columns), values.shape[1]), np.nan)
        x[list(places)] = values
        found = component_log_density(self.model, self.parameters, x)
        if self.model.latent.beyond is not None:
            found = np.concatenate([found, self.model.latent.beyond.log_density_at(x)])
        return found

    def mass(self, place: int) -> float | None:
        """Where the point mass of a column stands, if it has one."""
        return point_mass(self.group_of(place))

    def log_density_beside(self, places: Sequence[int], values: Array) -> Array:
        """The same, for drawing: at a point mass that of the values next to it."""
        near = np.array(values)
        for own, place in zip(near, places, strict=True):
            at = self.mass(place)
            if at is not None:
                own[own == at] = at + HAIR * (float(np.ptp(own)) or 1.0)
        return self.log_density(places, near)
