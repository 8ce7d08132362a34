"""Rows that belong together share their component: repeated measures, classes of growth (Nagin 1999)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.decoder import Decoded
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import UsageError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.concomitant import Concomitant, LogitChart
from em_cli.latents.independent import FixedChart, Independent, WeightsChart, shares_refused
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class Grouped:
    """Each group of rows, which --group names, draws its component by the mixing weights; its rows share it."""

    needs_groups: ClassVar[bool] = True
    sums_are_plain: ClassVar[bool] = False
    kindred: ClassVar[None] = None
    exchangeable: ClassVar[bool] = True
    ordered: ClassVar[bool] = False
    title: ClassVar[str | None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = False

    weights: Annotated[
        Literal["free", "equal"] | tuple[float, ...],
        Option("of the components: free, equal, or fixed to these numbers", check=shares_refused),
    ] = "free"
    includes: ClassVar[tuple[str, ...]] = ()
    declines: ClassVar[Mapping[str, str]] = {
        "density": "a noise component does not go with rows that share their component."
    }

    told: Concomitant | None = None  # where columns, alike in all rows of a group, tell its mixing weights

    @property
    def _law(self) -> Independent | Concomitant:
        """The law of the components, of groups as it is of rows."""
        return self.told or Independent(self.weights)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self._law.quantities

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        if self.told is not None and self.weights != "free":
            return self.told.declines["weights"]
        return self._law.refuses(columns, n_components)

    def bind(self, family: BoundFamily, columns: Columns) -> Grouped:
        return self if self.told is None else replace(self, told=self.told.bind(family, columns))

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Grouped:
        if "concomitant" in document:
            return cls(told=Concomitant.of_document(document))
        return cls(Independent.of_document(document).weights)

    def divergence(self, parameters: Any) -> float:
        return 0.0

    def log_prior(self, parameters: Any) -> Array:
        """Nothing is added to rows: the weights are those of groups."""
        return np.zeros_like(parameters.weights)

    def posterior(
        self,
        log_density: Array,
        parameters: Any,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Bayes' rule by groups; the first statistic is how many of them each component bears."""
        if assignment != SOFT:
            raise UsageError("rows that share a component are assigned by their responsibilities only.")
        groups = checked_groups(block)
        honour_labels(log_density, block.labels)
        law, x = self._law, block.x[:, groups[:-1]]
        prior = law.log_weights(parameters, x)
        joint = np.add.reduceat(log_density, groups[:-1], axis=2) + prior
        log_likelihood, _ = bayes(joint, None)
        log_density[...] = np.repeat(joint, np.diff(groups), axis=2)
        of_groups = None if weights is None else weights[..., groups[:-1]]
        if weights is not None and of_groups is not None:
            log_density *= weights[..., None, :]
            joint *= of_groups[..., None, :]
        counts = np.add.reduce(joint, axis=2)[..., None]
        return Posterior(log_likelihood, np.concatenate([counts, law.tallied(joint, prior, x, of_groups)], axis=2))

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        if weights is not None:
            log_likelihood = log_likelihood * weights[..., checked_groups(block)[:-1]]
        total: Array = np.add.reduce(log_likelihood, axis=1)
        return total

    def seen(self, responsibilities: Array, block: Block) -> Array | None:
        """(R, K, 1) as if each row of a group told alike of it."""
        if self.told is not None:
            return None
        groups = checked_groups(block)
        means = np.add.reduceat(responsibilities, groups[:-1], axis=2) / np.diff(groups)
        return np.asarray(np.add.reduce(means, axis=2)[..., None])

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

    def renumbered(self, parameters: Any, order: Integers) -> Any:
        return self._law.renumbered(parameters, order)

    def settled(self, parameters: Any, weight: Array) -> Any:
        return parameters

    @property
    def decoder(self) -> Grouped:
        return self

    def decode(self, log_density: Array, parameters: Any, block: Block) -> Decoded:
        """A row has the density that it has given the rows of its group before it in the file."""
        groups = checked_groups(block)
        honour_labels(log_density[None], block.labels)
        lengths, first = np.diff(groups), groups[:-1]
        upto = np.cumsum(log_density, axis=1)
        upto -= np.repeat((upto[:, first] - log_density[:, first]), lengths, axis=1)
        prior = self._law.log_weights(stack([parameters]), block.x[:, first])
        joint = upto[None] + (prior if prior.shape[2] == 1 else np.repeat(prior, lengths, axis=2))
        together = bayes(joint, None)[0][0]
        own = together.copy()
        own[1:] -= together[:-1]
        own[first] = together[first]
        filtered = joint[0]
        found = np.repeat(filtered[:, groups[1:] - 1], lengths, axis=1)
        path = found.argmax(axis=0)
        likeliest = found[path, np.arange(len(path))][first]
        return Decoded(found, filtered, own, path, together[groups[1:] - 1] + np.log(likeliest))

    def ahead(self, parameters: object, filtered: Array, steps: int) -> Array:
        """A group keeps its component."""
        return np.repeat(filtered[..., None], steps, axis=-1)

    def law_of_first(self, parameters: Any) -> Array:
        return np.asarray(parameters.weights)

    def law_of_steps(self, parameters: Any) -> Array:
        return np.eye(len(parameters.weights))

    def expected_steps(self, statistics: Array) -> Array:
        """None are counted: there is no order."""
        return np.diag(statistics[..., 0])

    def maximize(self, weight: Array, statistics: Array | None, parameters: Any) -> Any:
        if statistics is None:
            return self._law.maximize(weight, None, parameters)
        return self._law.maximize(statistics[..., 0], statistics[..., 1:], parameters)

    def n_parameters(self, n_components: int) -> int:
        return self._law.n_parameters(n_components)

    def chart(self, parameters: Any, weight: Array) -> GroupsChart:
        return GroupsChart(self._law.chart(parameters, weight))

    def to_document(self, parameters: Any) -> dict[str, object]:
        meaning = "share of the groups" if self.told is None else "mean over the groups"
        return self._law.to_document(parameters) | {"weights_meaning": meaning}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Any:
        return self._law.from_document(document, n_components)

    def sample(self, parameters: Any, n_rows: int, rng: np.random.Generator) -> Integers:
        """Rows that are groups of their own."""
        return self._law.sample(parameters, n_rows, rng)


@dataclass(frozen=True, slots=True)
class GroupsChart:
    """That of mixing weights, told how many groups the components bear."""

    plain: WeightsChart | FixedChart | LogitChart

    @property
    def size(self) -> int:
        return self.plain.size

    def coordinates(self, parameters: Any) -> Array:
        return self.plain.coordinates(parameters)

    def parameters(self, u: Array) -> Any:
        return self.plain.parameters(u)

    def gradient(self, statistics: ModelStatistics, parameters: Any) -> Array:
        if isinstance(self.plain, FixedChart):
            return self.plain.coordinates(parameters)
        counts, more = statistics.latent[..., 0], statistics.latent[..., 1:]
        if isinstance(self.plain, LogitChart):
            return self.plain.gradient(ModelStatistics(statistics.components, more), parameters)
        return self.plain.slope(counts, parameters)
