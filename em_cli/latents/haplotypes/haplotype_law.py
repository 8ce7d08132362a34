"""The law of haplotypes: any frequencies of those that the genotypes may hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.family import Degeneracy
from em_cli.latents.coded_rows import CodedRows, log_density_of, sums_of

RAREST = 1e-290  # frequency: one that has died out has a logarithm still
LONGEST = 30.0  # change of a log-frequency that an extrapolation may make


@dataclass(frozen=True, slots=True)
class Frequencies:
    """Of H haplotypes in a population; they sum to one."""

    frequency: Array  # (…, 1, H)
    log_frequency: Array  # (…, 1, H)


def frequencies(copies: Array) -> Frequencies:
    """From numbers (…, 1, H) that are in proportion to them."""
    share = np.maximum(copies / np.add.reduce(copies, axis=-1, keepdims=True), RAREST)
    return Frequencies(share, np.log(share))


@dataclass(frozen=True, slots=True, eq=False)
class Haplotypes(CodedRows):
    """Rows are the code of a haplotype, and which half of a genotype it belongs to.

    There is one component. Responsibilities are copies of the haplotype, and carry case weights.
    """

    n_haplotypes: int

    approximate = None

    def log_density(self, features: Array, parameters: Frequencies, offset: Array, out: Array) -> None:
        log_density_of(features, parameters.log_frequency, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: Frequencies) -> Array:
        """(R, 1, 1 + H): copies, in all and of each haplotype."""
        return sums_of(features, responsibilities, self.n_haplotypes)

    def maximize(self, statistics: Array, parameters: Frequencies | None) -> Frequencies:
        """Excoffier & Slatkin (1995), equation 8: gene counting."""
        return frequencies(statistics[..., 1:])

    def n_parameters(self, n_components: int) -> int:
        return self.n_haplotypes - 1

    def degenerate(self, parameters: Frequencies, support: Array) -> list[Degeneracy | None]:
        """None is: a likelihood of counts is bounded."""
        return [None] * len(support)

    def moments(self, parameters: Frequencies) -> tuple[Array, Array]:
        """Mean and standard deviation (1, H) of being each of the haplotypes."""
        p = parameters.frequency
        return p, np.sqrt(p * (1 - p))

    def to_document(self, parameters: Frequencies) -> dict[str, object]:
        return {"frequencies": parameters.frequency[0].tolist()}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Frequencies:
        return frequencies(np.array([document["frequencies"]], np.float64))

    def sample(self, parameters: Frequencies, labels: Integers, rng: np.random.Generator) -> Array:
        """Single haplotypes, each the half of a genotype of its own."""
        codes = rng.choice(self.n_haplotypes, len(labels), p=parameters.frequency[0])
        return np.stack([codes, np.arange(len(labels))]).astype(np.float64)

    def expected_log_density(self, statistics: Array, parameters: Frequencies) -> Array:
        expected: Array = (statistics[..., 1:] * parameters.log_frequency).sum(axis=-1)
        return expected

    def chart(self, parameters: Frequencies, weight: Array) -> FrequencyChart:
        copies = parameters.frequency * weight[..., None]
        return FrequencyChart(parameters.log_frequency, np.sqrt(np.maximum(copies, 1.0)))


@dataclass(frozen=True, slots=True)
class FrequencyChart:
    """√copies times the change of log-frequencies; back by a softmax."""

    base: Array  # (…, 1, H) log-frequencies
    root: Array  # (…, 1, H)

    @property
    def size(self) -> int:
        return int(self.base.shape[-1])

    def coordinates(self, parameters: Frequencies) -> Array:
        coordinates: Array = ((parameters.log_frequency - self.base) * self.root)[..., 0, :]
        return coordinates

    def parameters(self, u: Array) -> Frequencies:
        change = np.clip(u[..., None, :] / self.root, -LONGEST, LONGEST)
        logs = self.base + change
        return frequencies(np.exp(logs - logs.max(axis=-1, keepdims=True)))

    def gradient(self, statistics: Array, parameters: Frequencies) -> Array:
        slope = statistics[..., 1:] - statistics[..., :1] * parameters.frequency
        gradient: Array = (slope / self.root)[..., 0, :]
        return gradient
