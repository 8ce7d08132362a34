"""What the rows say of their columns: a sum over blocks, so that each of these is read once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.column_moments import Moments
from em_cli.engine.columns import WIDE, Apart, Columns, Joint, Known
from em_cli.engine.commonest import Commonest
from em_cli.engine.distinct import Distinct
from em_cli.engine.elimination import likeliest_normal
from em_cli.engine.patterns import codes, decoded, grouped, keys, n_codes
from em_cli.engine.rows import Block, Source, quanta

RELATIVE_RESOLUTION = 1e-6  # of the standard deviation, where the data do not show a resolution of their own
PATTERN_FLOATS = 1 << 21  # of second moments by pattern of missing cells; where there are more, the rarest are left out

Pattern = tuple[float, ...]  # a code of which cells are missing


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Of some rows; summaries add over rows."""

    n_rows: int
    n_cells: Integers  # (D,) not missing
    moments: Moments
    lowest: Array  # (D,)
    highest: Array  # (D,)
    distinct: tuple[Distinct, ...]  # values of each column
    commonest: tuple[Commonest, ...]  # of these
    patterns: Mapping[Pattern, int]  # of missing cells, and how many rows have each

    @staticmethod
    def of(rows: Block) -> Summary:
        """Of a quantum, or fewer rows."""
        x, (d, n) = rows.x, rows.x.shape
        seen: Flags | None = ~np.isnan(x)
        if seen is not None and seen.all():
            seen = None
        if seen is None:
            patterns = {(0.0,) * n_codes(d): n}
            return Summary(
                n,
                np.full(d, n),
                Moments.of(x, None, rows.weights, pairs=d <= WIDE),
                x.min(axis=1),
                x.max(axis=1),
                tuple(Distinct((values,)) for values in x),
                tuple(Commonest.of(values, rows.weights) for values in x),
                patterns,
            )
        groups = grouped(codes(x))
        return Summary(
            n,
            seen.sum(axis=1),
            Moments.of(x, seen, rows.weights),
            np.where(seen, x, np.inf).min(axis=1),
            np.where(seen, x, -np.inf).max(axis=1),
            tuple(Distinct((values[cells],)) for values, cells in zip(x, seen, strict=True)),
            tuple(
                Commonest.of(values[cells], None if rows.weights is None else rows.weights[cells])
                for values, cells in zip(x, seen, strict=True)
            ),
            dict(zip(keys(groups.codes), np.diff(groups.bounds).tolist(), strict=True)),
        )

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.n_rows + other.n_rows,
            self.n_cells + other.n_cells,
            self.moments + other.moments,
            np.minimum(self.lowest, other.lowest),
            np.maximum(self.highest, other.highest),
            tuple(mine + its for mine, its in zip(self.distinct, other.distinct, strict=True)),
            tuple(mine + its for mine, its in zip(self.commonest, other.commonest, strict=True)),
            dict(Counter(self.patterns) + Counter(other.patterns)),
        )

    @property
    def gaps(self) -> Flags:
        """(D,) which columns lack cells."""
        flags: Flags = self.n_cells < self.n_rows
        return flags

    def columns(self, source: Source) -> Columns:
        """What a family is told, of all rows of the source; it is read once more where cells are missing."""
        moments = self.moments
        mean, sd = moments.mean, moments.sd
        centre, joint, patterns = self._jointly(source)
        return Columns(
            mean=mean,
            sd=sd,
            centre=centre,
            joint=joint,
            largest=np.maximum(self.highest - mean, mean - self.lowest),
            lowest=self.lowest,
            highest=self.highest,
            resolution=np.maximum(self._smallest_differences(), RELATIVE_RESOLUTION * sd),
            n_distinct=np.array([distinct.at_least for distinct in self.distinct], np.intp),
            commonest=np.array([commonest.value for commonest in self.commonest]),
            commonest_share=np.array([commonest.share for commonest in self.commonest]),
            gaps=self.gaps,
            patterns=patterns,
            n_rows=self.n_rows,
            weight=moments.weight,
        )

    def _jointly(self, source: Source) -> tuple[Array, Joint, Flags]:
        """The mean of greatest likelihood, how the columns vary together, and what is missing together."""
        mean, sd, d = self.moments.mean, self.moments.sd, len(self.moments.mean)
        if not self.gaps.any():
            joint = Known(self.moments.covariance) if d <= WIDE else Unread(source, np.arange(d), sd * sd)
            return mean, joint, np.zeros((1, d), np.bool_)
        if d > WIDE:
            return mean, Apart(sd * sd), decoded(np.array(_most_frequent(self.patterns, d)).T, d)
        centre, covariance, patterns = _likeliest(source, self.patterns, mean, np.where(sd > 0, sd, 1.0))
        return centre, Known(covariance), patterns

    def _smallest_differences(self) -> Array:
        """(D,) of two values, where these repeat; 0 where most are of their own, and tell nothing of a resolution."""
        cells = zip(self.distinct, self.n_cells, strict=True)
        return np.array([distinct.gap if distinct.about < n / 2 else 0.0 for distinct, n in cells])


@dataclass(frozen=True, eq=False)
class Unread:
    """Columns without missing cells whose rows are read once more if a family wants to know their covariance."""

    source: Source
    places: Integers
    variances: Array

    @cached_property
    def covariance(self) -> Array:
        blocks = (self.source[index] for index in range(len(self.source)))
        parts = (Moments.of(rows.x[self.places], None, rows.weights) for block in blocks for rows in quanta(block))
        return reduce(add, parts).covariance

    def select(self, indices: Integers) -> Unread:
        return Unread(self.source, self.places[indices], self.variances[indices])


def summarize(source: Source) -> Columns:
    """Summarise the observed cells of the columns; sums are centred, so an offset costs no digits.

    Each block is read once, and once more where cells are missing.
    """
    parts = (Summary.of(rows) for index in range(len(source)) for rows in quanta(source[index]))
    return reduce(add, parts).columns(source)


def _likeliest(source: Source, counts: Mapping[Pattern, int], mean: Array, scale: Array) -> tuple[Array, Array, Flags]:
    """Mean and covariance of greatest likelihood, and the patterns (P, D) of missing cells."""
    frequent = _most_frequent(counts, len(mean))
    patterns = decoded(np.array(frequent).T, len(mean))
    shift, covariance = likeliest_normal(_products(source, frequent, mean, scale), patterns)
    return mean + scale * shift, covariance * np.outer(scale, scale), patterns


def _most_frequent(counts: Mapping[Pattern, int], n_columns: int) -> list[Pattern]:
    """In order."""
    ordered = sorted(counts)
    most = max(1, PATTERN_FLOATS // (1 + n_columns) ** 2)
    chosen = np.argsort([-counts[pattern] for pattern in ordered], kind="stable")[:most]
    return [ordered[place] for place in np.sort(chosen)]


def _products(source: Source, patterns: list[Pattern], mean: Array, scale: Array) -> Array:
    """Σ (1, z)(1, z)ᵀ (P, 1 + D, 1 + D) of the rows of each pattern, zero where cells are missing."""
    places = {pattern: place for place, pattern in enumerate(patterns)}
    sums = np.zeros((len(patterns), 1 + len(mean), 1 + len(mean)))
    for index in range(len(source)):
        for rows in quanta(source[index]):
            z = np.ones((1 + len(mean), rows.x.shape[1]))
            z[1:] = np.nan_to_num((rows.x - mean[:, None]) / scale[:, None], nan=0.0)
            groups, weights = grouped(codes(rows.x)), rows.weights
            if groups.order is not None:
                z = z.take(groups.order, axis=1)
                weights = None if weights is None else weights[groups.order]
            for pattern, some in zip(keys(groups.codes), groups.slices, strict=True):
                if pattern in places:
                    own = z[:, some]
                    sums[places[pattern]] += (own if weights is None else own * weights[some]) @ own.T
    return sums
