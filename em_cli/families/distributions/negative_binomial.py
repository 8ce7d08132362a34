"""Overdispersed counts: columns of independent negative binomial variables given the component."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.documents import LARGEST_RATE
from em_cli.families.distributions.charts import LARGEST_LOG, log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.count_nodes import CountNodes
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.distribution import Layout, Values
from em_cli.families.distributions.negative_binomial_sizes import (
    LARGEST,
    POISSON,
    SMALLEST,
    best_sizes,
    digamma_sums,
    log1p_beyond,
    rising,
)
from em_cli.families.distributions.parameters import above_zero, from_zero
from em_cli.families.distributions.poisson import SMALLEST_RATE, PoissonDistribution
from em_cli.families.distributions.support import COUNTS, Support

FEW, MANY = 64, 1 << 14  # counts in a table, however few or many the rows
NEARLY_POISSON = 1e3  # means; of a law of such a size, the information has its simple limit
GRID = 400  # counts over which the information of one is summed


def _embedding(x: Array, columns: Columns) -> Array:
    """Of nearly the same variance whatever the mean, if the column were of one component (Anscombe 1948)."""
    mean, variance = columns.mean[:, None], columns.sd[:, None] ** 2
    size = np.maximum(mean**2 / np.maximum(variance - mean, 1e-6 * mean + 1e-300), 1.0)
    embedded: Array = 2 * np.sqrt(size) * np.arcsinh(np.sqrt((x + 0.375) / size))
    return embedded


@dataclass(frozen=True, slots=True)
class NegativeBinomial:
    """Overdispersed counts: columns of independent negative binomial variables given the component."""

    describes: ClassVar[str] = "count"
    title: ClassVar[str] = "negative binomial mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = replace(COUNTS, embedding=_embedding)
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("means", from_zero(LARGEST_RATE)),
        Parameter("sizes", above_zero()),
    )

    def bind(self, columns: Columns) -> Columnwise:
        own = NegativeBinomialDistribution(columns)
        declared = Declared(self, own, columns, layout_of=own.layout(), coordinates=own)
        return Columnwise(declared, columns, tabulated=own)


@dataclass(frozen=True, slots=True, eq=False)
class NegativeBinomialDistribution:
    """Means μ and sizes s; the variance is μ + μ²/s. The likelihood is bounded: no component can collapse.

    It is not linear in functions of the counts. But how often each count occurs is sufficient, or
    what each adds to some nodes: from these come the maxima, all at once. Where the counts vary no
    more than Poisson's, the size is so large that the law is Poisson's.

    Of the features of a column, the first is one more than the count (zero, where the cell is
    missing), and the others are left empty: there are as many as nodes.
    """

    columns: Columns

    _nodes: CountNodes = field(init=False, repr=False)

    def __post_init__(self) -> None:
        largest = float((self.columns.mean + self.columns.largest).max())
        object.__setattr__(self, "_nodes", CountNodes(np.rint(largest)))

    @property
    def _poisson(self) -> PoissonDistribution:
        return PoissonDistribution(self.columns)

    def layout(self) -> Layout:
        column: Integers = np.repeat(np.arange(len(self.columns.mean)), len(self._nodes.nodes))
        return Layout(column, complete=True)

    def features(self, x: Array, out: Array) -> None:
        out[...] = 0.0
        out[:: len(self._nodes.nodes)] = x + 1

    def base_measure(self, x: Array) -> Array:
        return self._poisson.base_measure(x)

    def table(self, values: Values) -> Array:
        """By column, zero for a missing cell, and the log-density of the counts below some limit."""
        counts = np.arange(-1.0, self._few)
        laws = [_law(np.maximum(counts, 0.0), *parameters) for parameters in self._by_column(values)]
        for law in laws:
            law[..., 0] = 0.0
        return np.concatenate(laws, axis=-1)

    @property
    def _few(self) -> int:
        """Counts in the table: all, unless there are many more than rows, or their number is not known."""
        largest = float(self._nodes.nodes[-1]) if self.columns.n_rows else 0.0
        return int(max(FEW, min(largest + 1, self.columns.n_rows, MANY)))

    def log_density(self, features: Array, values: Values, table: Array, offset: Array, out: Array) -> None:
        out[...] = offset[..., None]
        few = self._few
        for j, row in enumerate(features[:: len(self._nodes.nodes)]):
            known = table[..., j * (few + 1) : (j + 1) * (few + 1)]
            beyond = row > few
            looked_up = np.take(known, np.where(beyond, 0, row).astype(np.intp), axis=-1)
            if beyond.any():
                counts, places = np.unique(row[beyond], return_inverse=True)
                looked_up[..., beyond] = _law(counts - 1, *self._by_column(values)[j])[..., places]
            out += looked_up

    def _by_column(self, values: Values) -> list[list[Array]]:
        """Means, sizes, and constants and slopes of the Poisson law, each (…, K, 1), of every column."""
        parts = (*values, *self._poisson.natural(values[:1]))
        return [[part[..., j, None] for part in parts] for j in range(len(self.columns.mean))]

    def statistics(self, features: Array, responsibilities: Array) -> Array:
        """The responsibilities shared out among the nodes."""
        r, k, _ = responsibilities.shape
        rows, sums = np.arange(r * k)[:, None], []
        for row in features[:: len(self._nodes.nodes)]:
            counts, places = _distinct(row)
            at = places + len(counts) * rows
            by_count = np.bincount(at.ravel(), responsibilities.ravel(), r * k * len(counts)).reshape(r, k, -1)
            first = int(counts[0] == 0)
            sums.append(np.matmul(by_count[..., first:], self._nodes.shares(counts[first:] - 1)))
        return np.concatenate(sums, axis=-1)

    def natural(self, values: Values) -> tuple[Array, Array]:
        """As if all counts were nodes, which is as good for sums over rows."""
        laws = [_law(self._nodes.nodes, *parameters) for parameters in self._by_column(values)]
        return np.zeros_like(values[0]), np.concatenate(laws, axis=-1)

    def maximize(self, weight: Array, sums: Array) -> Values:
        nodes = self._nodes.nodes
        shares = sums.reshape(-1, len(nodes))
        weight = weight.ravel()
        means = np.maximum(np.add.reduce(shares * nodes, axis=1) / weight, 0.0)
        shape = (*sums.shape[:-1], len(self.columns.mean))
        return means.reshape(shape), best_sizes(shares, nodes, weight, means).reshape(shape)

    def typical(self) -> Array:
        low = np.floor(self.columns.mean)
        part = self.columns.mean - low
        shares = (1 - part)[:, None] * self._nodes.shares(low) + part[:, None] * self._nodes.shares(low + 1)
        return shares.ravel()

    def moments(self, values: Values) -> tuple[Array, Array]:
        means, sizes = values
        return means, np.sqrt(means * (1 + means / sizes))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        means, sizes = values
        return rng.poisson(rng.gamma(sizes, means / sizes)).astype(np.float64)

    def steps(self, base: Values, values: Values) -> Values:
        """Of log μ, and of log(1 + m/s), where m is the mean of the column: so the Poisson law is not far away."""
        m = self._poisson.scale
        return log_ratio(base[0], values[0]), np.log1p(m / values[1]) - np.log1p(m / base[1])

    def moved(self, base: Values, steps: Values) -> Values:
        m, means = self._poisson.scale, scaled(base[0], steps[0])
        dispersion = np.expm1(np.clip(np.log1p(m / base[1]) + steps[1], 0.0, 2 * LARGEST_LOG)) / m
        largest = POISSON * np.maximum(means, 1.0)
        sizes = np.clip(1 / np.maximum(dispersion, 1 / largest), SMALLEST, largest)
        return means, np.where(steps[1] == 0, base[1], sizes)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        """That of a dispersion that cannot fall is not negative."""
        means, sizes = values
        nodes = self._nodes.nodes
        shares = sums.reshape(-1, len(nodes))
        more = np.add.reduce(shares * nodes, axis=1).reshape(means.shape) - weight * means
        bent, _ = digamma_sums(shares, nodes, sizes.ravel())
        u = means / sizes
        by_log_size = bent.reshape(means.shape) - weight * sizes * log1p_beyond(u) + more * u / (1 + u)
        by_size = by_log_size * self._log_size_per_step(sizes)
        poisson = sizes > LARGEST * np.maximum(means, 1.0)
        return more / (1 + u), np.where(poisson, np.maximum(by_size, 0.0), by_size)

    def information(self, values: Values) -> list[list[Array]]:
        """On a mean and a size there is none in common."""
        means, sizes = values
        none = np.zeros_like(means)
        by_size = information_on_size(means, sizes) * self._log_size_per_step(sizes) ** 2
        return [[means / (1 + means / sizes), none], [none, by_size]]

    def _log_size_per_step(self, sizes: Array) -> Array:
        """What a step of the chart does to log s."""
        return -1 - sizes / self._poisson.scale


def _distinct(row: Array) -> tuple[Array, Integers]:
    """The different features of a column in ascending order, and the place of each row among them."""
    top = row.max()
    if top <= max(FEW, len(row)):
        return np.arange(top + 1), row.astype(np.intp)
    return np.unique(row, return_inverse=True)


def _law(counts: Array, means: Array, sizes: Array, constant: Array, slope: Array) -> Array:
    """The log-density less the base measure of the Poisson law, of which it has the constant and the slope."""
    u = means / sizes
    law: Array = rising(counts, sizes) + counts * (slope - np.log1p(u)) + (constant - sizes * log1p_beyond(u))
    return law


def information_on_size(means: Array, sizes: Array) -> Array:
    """The information of one count on log s, from probabilities at a grid of counts."""
    from scipy.special import gammaln, zeta  # a quarter of a second to import: only where there are counts

    nearly_poisson = sizes > NEARLY_POISSON * np.maximum(means, 1.0)
    mean, s = means[..., None], np.where(nearly_poisson, 1.0, sizes)[..., None]
    sd = np.sqrt(mean * (1 + mean / s))
    low = np.maximum(mean - 12 * sd, 0.0)
    counts = np.rint(low + (mean + 30 * sd + 5 - low) * np.linspace(0, 1, GRID) ** 2)
    gaps = np.diff(counts, prepend=counts[..., :1] - 1, append=counts[..., -1:] + 1)
    logs = rising(counts, s) - gammaln(counts + 1) + counts * np.log(np.maximum(mean, SMALLEST_RATE) / (1 + mean / s))
    mass = (gaps[..., 1:] + gaps[..., :-1]) * np.exp(logs - logs.max(axis=-1, keepdims=True))
    taken = np.where(s > mean, counts, mean * s / (mean + s))  # whose mean is that of the last, to more digits
    lost = s * s * (zeta(2, s) - zeta(2, counts + s)) - taken
    expected = (mass * lost).sum(axis=-1) / mass.sum(axis=-1)
    dispersed = np.maximum(expected + np.where(sizes > means, means**2 / (means + sizes), 0.0), 0.0)
    return np.where(nearly_poisson, 0.5 * (means / sizes) ** 2, dispersed)
