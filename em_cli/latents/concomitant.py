"""Mixing weights that depend on columns, by a multinomial logit (Dayton & Macready 1988)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.cache import scratch
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import field, finite
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block
from em_cli.errors import DataError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.single_rows import SingleRows

TINY = 1e-300
REACH = 3.0  # standard deviations, within which steps are known not to lower the likelihood


@dataclass(frozen=True, slots=True)
class LogitParameters:
    weights: Array  # (R, K) mean of the mixing weights over the rows
    logits: Array  # (R, K, q) of each component against the first


@dataclass(frozen=True, slots=True)
class Concomitant(SingleRows):
    """The mixing weights of a row follow from columns that --concomitant names."""

    sums_are_plain: ClassVar[bool] = False
    kindred: ClassVar[None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    quantities: ClassVar[Mapping[str, Quantity]] = {
        "weights": Quantity.PROBABILITY,
        "concomitant.coefficients": Quantity.REAL,
        "concomitant.mean": Quantity.REAL,
    }
    includes: ClassVar[tuple[str, ...]] = ("independent",)
    declines: ClassVar[Mapping[str, str]] = {
        "weights": "mixing weights cannot be fixed where --concomitant has columns tell them.",
        "density": "a noise component does not go with mixing weights that depend on columns.",
    }

    names: tuple[str, ...] = ()  # of the columns
    places: tuple[int, ...] = ()  # of them in the rows
    levels: tuple[tuple[str, ...], ...] = ()  # of each, none where it holds numbers
    mean: tuple[float, ...] = ()  # of each
    unit: tuple[float, ...] = ()

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        return None

    def told(self, names: Sequence[str], places: Sequence[int], levels: Sequence[tuple[str, ...]]) -> Concomitant:
        """The same of these columns."""
        return replace(self, names=tuple(names), places=tuple(places), levels=tuple(levels))

    def bind(self, family: BoundFamily, columns: Columns) -> Concomitant:
        if self.mean:
            return self
        own = np.array(self.places, np.intp)
        numbers = [not levels for levels in self.levels]
        mean = np.where(numbers, columns.mean[own], 0.0)
        unit = np.where(numbers, columns.unit[own], 1.0)
        return replace(self, mean=tuple(mean.tolist()), unit=tuple(unit.tolist()))

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Concomitant:
        said = document.get("concomitant")
        described = field(document, "columns")
        columns = {column["name"]: place for place, column in enumerate(described)}
        names = said.get("columns") if isinstance(said, Mapping) else None
        if not isinstance(names, list) or not names or any(name not in columns for name in names):
            raise DataError("the field 'concomitant' must name columns of the model.")
        assert isinstance(said, Mapping), "it has a field"
        places = [columns[name] for name in names]
        levels = [tuple(described[place].get("levels", ())) for place in places]
        mean = finite(said, "mean")
        if mean.shape != (len(names),):
            raise DataError(f"the field 'mean' of 'concomitant' must hold {len(names)} numbers.")
        return replace(cls().told(names, places, levels), mean=tuple(mean.tolist()), unit=(1.0,) * len(names))

    @property
    def terms(self) -> tuple[str, ...]:
        """(q,) what the logits are linear in."""
        own = [
            [name] if not levels else [f"{name}={level}" for level in levels[1:]]
            for name, levels in zip(self.names, self.levels, strict=True)
        ]
        return ("intercept", *(term for terms in own for term in terms))

    def regressors(self, x: Array) -> Array:
        """(q, n) in units from the mean; a missing number is at the mean, a missing level the first."""
        out, at = np.empty((len(self.terms), x.shape[1])), 1
        out[0] = 1.0
        mean_of, unit_of = self.mean or (0.0,) * len(self.names), self.unit or (1.0,) * len(self.names)
        for place, levels, mean, unit in zip(self.places, self.levels, mean_of, unit_of, strict=True):
            if levels:
                for code in range(1, len(levels)):
                    np.equal(x[place], code, out=out[at], casting="unsafe")
                    at += 1
            else:
                np.divide(x[place] - mean, unit, out=out[at])
                np.copyto(out[at], 0.0, where=np.isnan(out[at]))
                at += 1
        return out

    def log_prior(self, parameters: LogitParameters) -> Array:
        """Nothing is common to all rows."""
        return np.zeros_like(parameters.weights)

    def posterior(
        self,
        log_density: Array,
        parameters: LogitParameters,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        z = self.regressors(block.x)
        prior = self._log_weights(parameters, z, scratch("prior", *log_density.shape))
        log_density += prior
        honour_labels(log_density, block.labels)
        log_likelihood, objective = bayes(log_density, weights, assignment, block.first_row)
        tallied = self._tallied(log_density, np.exp(prior, out=prior), z, weights)
        return Posterior(log_likelihood, tallied, objective=objective)

    def log_weights(self, parameters: LogitParameters, x: Array) -> Array:
        """(R, K, n) logarithms of the mixing weights of rows."""
        return self._log_weights(parameters, self.regressors(x), None)

    def _log_weights(self, parameters: LogitParameters, z: Array, out: Array | None) -> Array:
        logits: Array = np.matmul(parameters.logits, z, out=out)
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        odds = np.exp(logits, out=scratch("odds", *logits.shape))
        logits -= np.log(np.add.reduce(odds, axis=1, keepdims=True))
        return logits

    def tallied(self, responsibilities: Array, log_weights: Array, x: Array, weights: Array | None) -> Array:
        """Slopes (R, K, q) and negative curvatures (R, K, K q q) of the likelihood of the labels, side by side."""
        return self._tallied(responsibilities, np.exp(log_weights), self.regressors(x), weights)

    def _tallied(self, responsibilities: Array, prior: Array, z: Array, weights: Array | None) -> Array:
        """The curvatures of two components are minus a sum of products of their weights, and add up to nothing."""
        (r, k, n), q = prior.shape, len(z)
        own = prior if weights is None else np.multiply(prior, weights[..., None, :], out=scratch("own", r, k, n))
        slopes = np.matmul(np.subtract(responsibilities, own, out=scratch("odds", r, k, n)), z.T)
        products, rows, columns = scratch("products", q * (q + 1) // 2, n), *np.triu_indices(q)
        for out, first, second in zip(products, rows, columns, strict=True):
            np.multiply(z[first], z[second], out=out)
        curved, both = np.zeros((r, k, k, q, q)), scratch("both", r, n)
        for a in range(k):
            for b in range(a):
                sums = np.matmul(np.multiply(own[:, a], prior[:, b], out=both)[:, None], products.T)[:, 0]
                curved[:, a, b][:, rows, columns] = curved[:, a, b][:, columns, rows] = -sums
                curved[:, b, a] = curved[:, a, b]
        every = np.arange(k)
        curved[:, every, every] = -np.add.reduce(curved, axis=2)
        return np.concatenate([slopes, curved.reshape(r, k, -1)], axis=2)

    def maximize(self, weight: Array, statistics: Array | None, parameters: LogitParameters | None) -> LogitParameters:
        """A Newton step, cut where it is long so that the likelihood does not fall; at first the shares alone.

        Statistics are the slopes (R, K, q) and negative curvatures (R, K, K q q) of the likelihood of the labels.
        """
        weight = np.maximum(weight, TINY)
        shares = weight / np.add.reduce(weight, axis=-1, keepdims=True)
        if statistics is None or parameters is None:
            logits = np.zeros((*weight.shape, len(self.terms)))
            logits[..., 0] = np.log(shares / shares[..., :1])
            return LogitParameters(shares, logits)
        k, q = parameters.logits.shape[-2:]
        slopes, curved = statistics[..., :q], statistics[..., q:].reshape(*weight.shape, k, q, q)
        if k == 1:
            return LogitParameters(shares, parameters.logits)
        size = (k - 1) * q
        hessian = curved[..., 1:, 1:, :, :].swapaxes(-3, -2).reshape(*weight.shape[:-1], size, size).copy()
        diagonal = np.einsum("...ii->...i", hessian)
        diagonal += 1e-9 * np.add.reduce(diagonal, axis=-1, keepdims=True) / size + 1e-12
        right = slopes[..., 1:, :].reshape(*weight.shape[:-1], size, 1)
        step = np.linalg.solve(hessian, right).reshape(*weight.shape[:-1], k - 1, q)
        reach = np.sqrt(np.add.reduce(step**2, axis=-1)).max(axis=-1) * REACH * np.sqrt(q)
        cut = np.log1p(reach) / np.maximum(reach, 1e-12)
        logits = parameters.logits.copy()
        logits[..., 1:, :] += np.minimum(cut, 1.0)[..., None, None] * step
        return LogitParameters(shares, logits)

    def n_parameters(self, n_components: int) -> int:
        return (n_components - 1) * len(self.terms)

    def settled(self, parameters: LogitParameters, weight: Array) -> LogitParameters:
        return replace(parameters, weights=weight / weight.sum())

    def renumbered(self, parameters: LogitParameters, order: Integers) -> LogitParameters:
        logits = parameters.logits[order]
        return LogitParameters(parameters.weights[order], logits - logits[:1])

    def chart(self, parameters: LogitParameters, weight: Array) -> LogitChart:
        share = weight / np.add.reduce(weight, axis=-1, keepdims=True)
        root = np.sqrt(np.maximum(weight * (1 - share), 0.25))[..., 1:, None]
        return LogitChart(parameters, root)

    def to_document(self, parameters: LogitParameters) -> dict[str, object]:
        logits, at = parameters.logits[1:].copy(), 1
        for levels, mean, unit in zip(self.levels, self.mean, self.unit, strict=True):
            if not levels:
                logits[:, at] /= unit
                logits[:, 0] -= logits[:, at] * mean
            at += max(len(levels) - 1, 1)
        told = {"columns": list(self.names), "names": list(self.terms), "mean": list(self.mean)}
        return {
            "weights": parameters.weights.tolist(),
            "weights_meaning": "mean over the rows",
            "concomitant": told | {"coefficients": logits.tolist()},
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> LogitParameters:
        k, q = n_components, len(self.terms)
        weights, told = finite(document, "weights"), document.get("concomitant")
        found = finite(told, "coefficients") if isinstance(told, Mapping) else np.zeros(())
        if weights.shape != (k,) or not (weights >= 0).all():
            raise DataError(f"the field 'weights' must hold {k} numbers.")
        if k > 1 and found.shape != (k - 1, q):
            raise DataError(f"the coefficients of 'concomitant' must be {k - 1} lists of {q} numbers.")
        logits, at = np.zeros((k, q)), 1
        if k > 1:
            logits[1:] = found
        for levels, mean, unit in zip(self.levels, self.mean, self.unit, strict=True):
            if not levels:
                logits[:, 0] += logits[:, at] * mean
                logits[:, at] *= unit
            at += max(len(levels) - 1, 1)
        return LogitParameters(weights, logits)

    def sample(self, parameters: LogitParameters, n_rows: int, rng: np.random.Generator) -> Integers:
        """Of rows of which nothing is known."""
        weights = parameters.weights
        return rng.choice(len(weights), size=n_rows, p=weights / weights.sum()).astype(np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class LogitChart:
    """Logits against the first component, about in standard errors."""

    base: LogitParameters
    root: Array  # (…, K - 1, 1)

    @property
    def size(self) -> int:
        return int(self.base.logits.shape[-2] - 1) * int(self.base.logits.shape[-1])

    def coordinates(self, parameters: LogitParameters) -> Array:
        steps = (parameters.logits[..., 1:, :] - self.base.logits[..., 1:, :]) * self.root
        return steps.reshape(*steps.shape[:-2], -1)

    def parameters(self, u: Array) -> LogitParameters:
        k, q = self.base.logits.shape[-2:]
        steps = u.reshape(*u.shape[:-1], k - 1, q) / self.root
        logits = np.broadcast_to(self.base.logits, (*steps.shape[:-2], k, q)).copy()
        logits[..., 1:, :] += steps
        weights = np.broadcast_to(self.base.weights, logits.shape[:-1]).copy()
        return LogitParameters(weights, logits)

    def gradient(self, statistics: ModelStatistics, parameters: LogitParameters) -> Array:
        q = self.base.logits.shape[-1]
        slopes = statistics.latent[..., 1:, :q] / self.root
        return np.asarray(slopes.reshape(*slopes.shape[:-2], -1))
