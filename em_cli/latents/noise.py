"""Independent labels, and a uniform component for rows that belong to no other (Banfield & Raftery 1993)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from shlex import quote
from typing import Annotated, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.cache import scratch
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import field as field_of
from em_cli.engine.documents import finite, positive
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block
from em_cli.errors import DataError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.independent import TINY, MixingWeights, WeightsChart, mixing_weights
from em_cli.latents.single_rows import SingleRows
from em_cli.parts import Option

LEAST = 1e-50  # rows of noise, and their share, where none is: a weight that documents hold
BEGIN = 0.05  # share of noise where nothing is known of it


@dataclass(frozen=True, slots=True)
class NoisyWeights:
    weights: Array  # (R, K), positive
    noise: Array  # (R, K) weight of the noise, which with these sums to one: the same beside every component
    log_weights: Array  # (R, K)
    log_noise: Array  # (R, K)


def noisy_weights(weights: Array, noise: Array) -> NoisyWeights:
    """Of weights (…, K) and that of the noise (…)."""
    noise = np.repeat(noise[..., None], weights.shape[-1], axis=-1)
    return NoisyWeights(weights, noise, np.log(weights), np.log(noise))


def all_weights(parameters: NoisyWeights) -> MixingWeights:
    """(…, K + 1), that of the noise last."""
    return mixing_weights(np.concatenate([parameters.weights, parameters.noise[..., :1]], axis=-1))


@dataclass(frozen=True, slots=True, eq=False)
class Noise(SingleRows):
    """The noise is uniform over the box of the data; over that of the observed columns, where cells are missing."""

    density: Annotated[
        float | None,
        Option("of the noise, in the units of the data; null is one over the volume of their box", above=0),
    ] = None
    box: tuple[tuple[float, float], ...] = ()  # lowest and highest value of each column; () means those of the data

    family: BoundFamily | None = field(default=None, repr=False)
    quantities: ClassVar[Mapping[str, Quantity]] = dict.fromkeys(("weights", "noise"), Quantity.PROBABILITY)
    kindred: ClassVar[None] = None
    includes: ClassVar[tuple[str, ...]] = ("independent",)
    declines: ClassVar[Mapping[str, str]] = {
        "weights": "fixed mixing weights do not go with noise, whose weight is free."
    }

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        if discrete := [column.name for column in columns if column.discrete]:
            without = f"--exclude {quote(','.join(discrete))}"
            said = f"column {discrete[0]!r} is" if len(discrete) == 1 else f"columns {', '.join(discrete)} are"
            return f"noise is uniform over the box of the data: {said} not continuous. Use {without}, or fit no noise."
        return None

    def bind(self, family: BoundFamily, columns: Columns) -> Noise:
        box = self.box or tuple(zip(columns.lowest.tolist(), columns.highest.tolist(), strict=True))
        return replace(self, box=box, family=family)

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Noise:
        box = finite(document, "noise_box")
        if box.shape != (len(field_of(document, "columns")), 2) or not (box[:, 0] < box[:, 1]).all():
            raise DataError("the field 'noise_box' must list the lowest and the highest value of each column.")
        fixed = document.get("noise_density_fixed")
        density = float(positive(document, "noise_density", 1)[0]) if fixed else None
        return cls(density, tuple((lowest, highest) for lowest, highest in box.tolist()))

    @property
    def log_densities(self) -> Array:
        """(D,) of the columns, which sum to that of the noise."""
        if self.density is not None:
            return np.full(len(self.box), np.log(self.density) / len(self.box))
        densities: Array = -np.log([highest - lowest for lowest, highest in self.box])
        return densities

    def log_prior(self, parameters: NoisyWeights) -> Array:
        return parameters.log_weights

    def log_density(self, x: Array) -> Array:
        """(n,) of the noise, in the user's units."""
        if np.isnan(x).any():
            density: Array = np.where(np.isnan(x), 0.0, self.log_densities[:, None]).sum(axis=0)
            return density
        return np.broadcast_to(self.log_densities.sum(), x.shape[1])

    def posterior(
        self,
        log_density: Array,
        parameters: NoisyWeights,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Bayes' rule by rows; the statistics are the weight (R,) of the noise."""
        assert self.family is not None, "it is bound: densities of the components leave the base measure out"
        r, k, n = log_density.shape
        joint = scratch("outcomes", r, k + 1, n)
        joint[:, :k] = log_density
        joint[:, k] = parameters.log_noise[:, :1] + self.log_density(block.x) - self.family.base_measure(block.x)
        honour_labels(joint, block.labels)
        log_likelihood, own = bayes(joint, weights, assignment, block.first_row)
        log_density[...] = joint[:, :k]
        return Posterior(log_likelihood, np.add.reduce(joint[:, k], axis=1), joint[:, k:], own)

    def maximize(self, weight: Array, statistics: Array | None, parameters: NoisyWeights | None) -> NoisyWeights:
        weight = np.maximum(weight, TINY)
        own = weight.sum(axis=-1)
        noise = own * BEGIN / (1 - BEGIN) if statistics is None else np.maximum(statistics, LEAST)
        total = own + noise
        return noisy_weights(np.maximum(weight / total[..., None], TINY), np.maximum(noise / total, TINY))

    def n_parameters(self, n_components: int) -> int:
        return n_components

    @property
    def extra(self) -> tuple[str, ...]:
        return ("noise",)

    @property
    def beyond(self) -> Noise:
        return self

    def log_density_at(self, x: Array) -> Array:
        """(1, n) of the noise, in the user's units: none outside its box."""
        lowest, highest = np.array(self.box).T[..., None]
        outside = ((x < lowest) | (x > highest)).any(axis=0)
        return np.where(outside, -np.inf, self.log_density(x))[None]

    def chart(self, parameters: NoisyWeights, weight: Array) -> NoisyChart:
        own = parameters.weights.sum(axis=-1, keepdims=True)
        noise = weight.sum(axis=-1, keepdims=True) * parameters.noise[..., :1] / own
        root = np.sqrt(np.maximum(np.concatenate([weight, noise], axis=-1), 1.0))
        return NoisyChart(WeightsChart(all_weights(parameters).log_weights, root))

    def to_document(self, parameters: NoisyWeights) -> dict[str, object]:
        fixed = {} if self.density is None else {"noise_density_fixed": True}
        return {
            "weights": parameters.weights.tolist(),
            "noise": float(parameters.noise[0]),
            "noise_density": float(np.exp(np.clip(self.log_densities.sum(), -700.0, 700.0))),
            "noise_box": [list(ends) for ends in self.box],
        } | fixed

    def from_document(self, document: Mapping[str, object], n_components: int) -> NoisyWeights:
        weights, (noise,) = finite(document, "weights"), positive(document, "noise", 1)
        if weights.shape != (n_components,):
            raise DataError(f"the field 'weights' must hold {n_components} numbers.")
        if not ((weights > 0).all() and abs(weights.sum() + noise - 1) < 1e-6):
            raise DataError("the weights and that of the noise must be positive and sum to one.")
        return noisy_weights(weights, np.asarray(noise))

    def sample(self, parameters: NoisyWeights, n_rows: int, rng: np.random.Generator) -> Integers:
        """The component of each row; K stands for the noise."""
        share = all_weights(parameters).weights
        return rng.choice(len(share), size=n_rows, p=share / share.sum()).astype(np.intp)

    def draw(self, outcomes: Integers, rng: np.random.Generator) -> Array:
        """Rows (D, n) of the noise."""
        lowest, highest = np.array(self.box).T
        drawn: Array = rng.uniform(lowest, highest, (len(outcomes), len(self.box))).T
        return drawn


@dataclass(frozen=True, slots=True)
class NoisyChart:
    """That of all weights, the noise being one component more."""

    of_all: WeightsChart

    @property
    def size(self) -> int:
        return self.of_all.size

    def coordinates(self, parameters: NoisyWeights) -> Array:
        return self.of_all.coordinates(all_weights(parameters))

    def parameters(self, u: Array) -> NoisyWeights:
        weights = self.of_all.parameters(u).weights
        return noisy_weights(weights[..., :-1], np.maximum(weights[..., -1], LEAST))

    def gradient(self, statistics: ModelStatistics, parameters: NoisyWeights) -> Array:
        noise = np.asarray(statistics.latent)[..., None]
        weight = np.concatenate([statistics.weight, noise], axis=-1)
        return self.of_all.slope(weight, all_weights(parameters))
