"""Mixing weights that depend on columns, by a multinomial logit (Dayton & Macready 1988)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import finite
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
    def of_document(cls, document: Mapping[str, Any]) -> Concomitant:
        said = document.get("concomitant")
        columns = {column["name"]: place for place, column in enumerate(document["columns"])}
        names = said.get("columns") if isinstance(said, Mapping) else None
        if not isinstance(names, list) or not names or any(name not in columns for name in names):
            raise DataError("the field 'concomitant' must name columns of the model.")
        assert isinstance(said, Mapping), "it has a field"
        places = [columns[name] for name in names]
        levels = [tuple(document["columns"][place].get("levels", ())) for place in places]
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
        rows = [np.ones(x.shape[1])]
        mean_of, unit_of = self.mean or (0.0,) * len(self.names), self.unit or (1.0,) * len(self.names)
        for place, levels, mean, unit in zip(self.places, self.levels, mean_of, unit_of, strict=True):
            if levels:
                rows += [(x[place] == code).astype(np.float64) for code in range(1, len(levels))]
            else:
                rows.append(np.nan_to_num((x[place] - mean) / unit, nan=0.0))
        return np.stack(rows)

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
        prior = self.log_weights(parameters, block.x)
        log_density += prior
        honour_labels(log_density, block.labels)
        log_likelihood, objective = bayes(log_density, weights, assignment, block.first_row)
        tallied = self.tallied(log_density, prior, block.x, weights)
        return Posterior(log_likelihood, tallied, objective=objective)

    def log_weights(self, parameters: LogitParameters, x: Array) -> Array:
        """(R, K, n) logarithms of the mixing weights of rows."""
        logits: Array = np.matmul(parameters.logits, self.regressors(x))
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        logits -= np.log(np.add.reduce(np.exp(logits), axis=1, keepdims=True))
        return logits

    def tallied(self, responsibilities: Array, log_weights: Array, x: Array, weights: Array | None) -> Array:
        """Slopes (R, K, q) and negative curvatures (R, K, K q q) of the likelihood of the labels, side by side."""
        z, prior = self.regressors(x), np.exp(log_weights)
        own = prior if weights is None else prior * weights[..., None, :]
        slopes = np.matmul(responsibilities - own, z.T)
        r, k = prior.shape[:2]
        squares = (z[:, None] * z[None]).reshape(-1, z.shape[1]).T
        curved = np.empty((r, k, k, squares.shape[1]))
        for a in range(k):
            for b in range(a + 1):
                both = own[:, a] * ((a == b) - prior[:, b])
                curved[:, a, b] = curved[:, b, a] = np.matmul(both[:, None], squares)[:, 0]
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

    def to_document(self, parameters: LogitParameters) -> dict[str, Any]:
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
