"""Rows that belong together share their component: repeated measures, classes of growth (Nagin 1999)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers, map_arrays
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.decoder import Decoded
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import UsageError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.independent import FixedChart, Independent, MixingWeights, WeightsChart, shares_refused
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class Grouped:
    """Each group of rows, which --group names, draws its component by the mixing weights; its rows share it."""

    weights: Annotated[
        Literal["free", "equal"] | tuple[float, ...],
        Option("of the components: free, equal, or fixed to these numbers", check=shares_refused),
    ] = "free"
    declines: ClassVar[Mapping[str, str]] = {
        "density": "a noise component does not go with rows that share their component."
    }

    @property
    def _plain(self) -> Independent:
        """The law of the components, of groups as it is of rows."""
        return Independent(self.weights)

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        return self._plain.refuses(columns, n_components)

    def bind(self, family: BoundFamily, columns: Columns) -> Grouped:
        return self

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Grouped:
        return cls(Independent.of_document(document).weights)

    def log_prior(self, parameters: MixingWeights) -> Array:
        """Nothing is added to rows: the weights are those of groups."""
        return np.zeros_like(parameters.weights)

    @property
    def needs_groups(self) -> bool:
        return True

    @property
    def exchangeable(self) -> bool:
        return True

    def posterior(
        self,
        log_density: Array,
        parameters: MixingWeights,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Bayes' rule by groups; the statistics are how many of them each component bears."""
        if assignment != SOFT:
            raise UsageError("rows that share a component are assigned by their responsibilities only.")
        groups = checked_groups(block)
        honour_labels(log_density, block.labels)
        joint = np.add.reduceat(log_density, groups[:-1], axis=2) + parameters.log_weights[..., None]
        log_likelihood, _ = bayes(joint, None)
        log_density[...] = np.repeat(joint, np.diff(groups), axis=2)
        if weights is not None:
            log_density *= weights[..., None, :]
            joint *= weights[..., None, groups[:-1]]
        return Posterior(log_likelihood, np.add.reduce(joint, axis=2))

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        if weights is not None:
            log_likelihood = log_likelihood * weights[..., checked_groups(block)[:-1]]
        total: Array = np.add.reduce(log_likelihood, axis=1)
        return total

    def seen(self, responsibilities: Array, block: Block) -> Array:
        """(R, K) as if each row of a group told alike of it."""
        groups = checked_groups(block)
        means = np.add.reduceat(responsibilities, groups[:-1], axis=2) / np.diff(groups)
        return np.asarray(np.add.reduce(means, axis=2))

    def mixed(self, statistics: Array, shares: Array) -> Array:
        return np.asarray(shares @ statistics)

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        """The part that most rows of a group are in; where that leaves one without a group, some by lot."""
        groups = checked_groups(block)
        ones = np.eye(n_components, dtype=np.intp)[partition]
        own = np.add.reduceat(ones, groups[:-1], axis=0).argmax(axis=1)
        without = np.flatnonzero(np.bincount(own, minlength=n_components) == 0)
        if len(without) and len(own) >= n_components:
            own[np.random.default_rng(seed).choice(len(own), len(without), replace=False)] = without
        return np.repeat(own, np.diff(groups)).astype(np.intp)

    def renumbered(self, parameters: MixingWeights, order: Integers) -> MixingWeights:
        return map_arrays(lambda array: array[order], parameters)

    def settled(self, parameters: MixingWeights, weight: Array) -> MixingWeights:
        return parameters

    @property
    def decoder(self) -> Grouped:
        return self

    @property
    def ordered(self) -> bool:
        return False

    def decode(self, log_density: Array, parameters: MixingWeights, block: Block) -> Decoded:
        """A row has the density that it has given the rows of its group before it in the file."""
        groups = checked_groups(block)
        honour_labels(log_density[None], block.labels)
        lengths, first = np.diff(groups), groups[:-1]
        upto = np.cumsum(log_density, axis=1)
        upto -= np.repeat((upto[:, first] - log_density[:, first]), lengths, axis=1)
        joint = (upto + parameters.log_weights[:, None])[None]
        together = bayes(joint, None)[0][0]
        own = together.copy()
        own[1:] -= together[:-1]
        own[first] = together[first]
        filtered = joint[0]
        found = np.repeat(filtered[:, groups[1:] - 1], lengths, axis=1)
        path = found.argmax(axis=0)
        likeliest = found[path, np.arange(len(path))][first]
        return Decoded(found, filtered, own, path, together[groups[1:] - 1] + np.log(likeliest))

    def ahead(self, parameters: MixingWeights, filtered: Array, steps: int) -> Array:
        """A group keeps its component."""
        return np.repeat(filtered[..., None], steps, axis=-1)

    def law_of_first(self, parameters: MixingWeights) -> Array:
        return parameters.weights

    def law_of_steps(self, parameters: MixingWeights) -> Array:
        return np.eye(len(parameters.weights))

    def expected_steps(self, statistics: Array) -> Array:
        """None are counted: there is no order."""
        return np.diag(statistics)

    def maximize(self, weight: Array, statistics: Array | None, parameters: MixingWeights | None) -> MixingWeights:
        return self._plain.maximize(weight if statistics is None else statistics, None, parameters)

    def n_parameters(self, n_components: int) -> int:
        return self._plain.n_parameters(n_components)

    @property
    def extra(self) -> tuple[str, ...]:
        return ()

    def chart(self, parameters: MixingWeights, weight: Array) -> GroupsChart:
        return GroupsChart(self._plain.chart(parameters, weight))

    def to_document(self, parameters: MixingWeights) -> dict[str, Any]:
        return self._plain.to_document(parameters) | {"weights_meaning": "share of the groups"}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> MixingWeights:
        return self._plain.from_document(document, n_components)

    def sample(self, parameters: MixingWeights, n_rows: int, rng: np.random.Generator) -> Integers:
        """Rows that are groups of their own."""
        return self._plain.sample(parameters, n_rows, rng)


@dataclass(frozen=True, slots=True)
class GroupsChart:
    """That of mixing weights, told how many groups the components bear."""

    plain: WeightsChart | FixedChart

    @property
    def size(self) -> int:
        return self.plain.size

    def coordinates(self, parameters: MixingWeights) -> Array:
        return self.plain.coordinates(parameters)

    def parameters(self, u: Array) -> MixingWeights:
        return self.plain.parameters(u)

    def gradient(self, statistics: ModelStatistics, parameters: MixingWeights) -> Array:
        if isinstance(self.plain, FixedChart):
            return self.plain.coordinates(parameters)
        return self.plain.slope(statistics.latent, parameters)
