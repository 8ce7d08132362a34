"""A mixture model: a family, a latent structure and a number of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, map_arrays, n_candidates, stack, take
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.family import BoundFamily, Chart, Penalised
from em_cli.engine.latent import Latent, LatentChart
from em_cli.engine.row_sums import sums_of_rows
from em_cli.engine.rows import Block

SMALLEST_WEIGHT = 1e-8  # rows; a component that bears less is empty


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What is fitted. The family is bound to the data; models compare by identity."""

    family: BoundFamily
    latent: Latent
    n_components: int
    prior: float = 0.0  # strength, in pseudo-observations for each component

    @property
    def quantities(self) -> dict[str, Quantity]:
        """What the numbers of its documents are, by the names of the fields."""
        return {**self.latent.quantities, **self.family.quantities}

    def maximize(self, found: list[Expectation]) -> tuple[Parameters, Flags]:
        """The M-steps of R candidates: stacked parameters, and which of them have an empty component."""
        return self.at_maximum(*gathered(found))

    def at_maximum(self, statistics: ModelStatistics, at: Parameters | None) -> tuple[Parameters, Flags]:
        """The M-steps of statistics in the frame of parameters, or in none."""
        seen = self.with_prior(statistics, at) if at is not None else statistics
        components = self.family.maximize(seen.components, at and at.components)
        return self.with_components(components, statistics, at)

    def with_components(
        self, components: object, statistics: ModelStatistics, at: Parameters | None
    ) -> tuple[Parameters, Flags]:
        """The M-step, given that of the components; and which candidates have an empty component."""
        weight = statistics.weight
        lost: Flags = np.logical_not(np.logical_and.reduce(weight > SMALLEST_WEIGHT, axis=-1))
        empty = np.logical_and(lost, not self.is_variational)  # where a prior bears them, components may be empty
        return Parameters(self.latent.maximize(weight, statistics.latent, at and at.latent), components), empty

    def start(self, block: Block, responsibilities: Array) -> Parameters:
        """The M-step (no stack) from given responsibilities (K, n)."""
        return take(self.starts(block, responsibilities[None]), 0)

    def starts(self, block: Block, responsibilities: Array) -> Parameters:
        """The M-steps from given responsibilities (R, K, n).

        They are taken again about components that plain sums would describe with loss.
        """
        masses = responsibilities if block.weights is None else responsibilities * block.weights
        statistics = sums_of_rows(self.family, block.x, masses, None)
        components, by_products = self.family.maximize(statistics, None), self.family.exponential
        if by_products and (apart := by_products.natural(components)[1]).any():
            about = sums_of_rows(self.family, block.x, masses[apart], take(components, apart))
            again = self.family.maximize(about, take(components, apart))
            components = map_arrays(partial(_replaced, apart), components, again)
        found = ModelStatistics(statistics, self.latent.seen(masses, block))
        return self.with_components(components, found, None)[0]

    def settled(self, parameters: Parameters, weight: Array) -> Parameters:
        """Parameters (no stack) with what in them follows from the weight (K,) of the components alone."""
        return Parameters(self.latent.settled(parameters.latent, weight), parameters.components)

    def renumbered(self, parameters: Parameters, order: Integers) -> Parameters:
        """Parameters (no stack) of the components in this order."""
        components = map_arrays(lambda array: array[order], parameters.components)
        return Parameters(self.latent.renumbered(parameters.latent, order), components)

    def expected_log_likelihood(self, statistics: ModelStatistics, parameters: Parameters) -> Array:
        """(R,) of rows and labels together, base measure and entropy of the labels left out.

        With the entropy of the responsibilities it bounds the log-likelihood from below (Neal &
        Hinton 1998).
        """
        expected = self.family.expected_log_density(statistics.components, parameters.components)
        total: Array = (expected + statistics.weight * self.latent.log_prior(parameters.latent)).sum(axis=-1)
        return total - self.latent.divergence(parameters.latent)

    @property
    def in_time(self) -> bool:
        """Whether rows follow each other, and what comes before and after one tells of its component."""
        decoder = self.latent.decoder
        return decoder is not None and decoder.ordered

    @property
    def is_variational(self) -> bool:
        """Whether parameters are approximate posteriors, and what a climb maximises is a bound of the evidence."""
        approximate = self.family.approximate
        return approximate is not None and not approximate.of_points

    def log_prior(self, parameters: Parameters) -> Array | float:
        """(R,) what a climb maximises beside the log-likelihood; constants left out.

        Where parameters are approximate posteriors, it is the negative of how far these are from the prior: with
        what rows are worth under expected logarithms it is the evidence lower bound, constants and all.
        """
        if (approximate := self.family.approximate) is not None:
            of_components = np.add.reduce(approximate.divergence(parameters.components), axis=-1)
            return np.asarray(-of_components - self.latent.divergence(parameters.latent))
        of_weights = -self.latent.divergence(parameters.latent)
        if not self.prior:
            return of_weights
        pseudo = self._penalty.penalty_statistics(parameters.components, plain=True)
        total: Array = self.prior * self.family.expected_log_density(pseudo, parameters.components).sum(axis=-1)
        return total + of_weights

    @property
    def has_conjugate_prior(self) -> bool:
        """Whether components have one; each then bears what rows do not."""
        return self.family.approximate is not None

    def with_prior(self, statistics: ModelStatistics, at: Parameters) -> ModelStatistics:
        """The statistics with the pseudo-observations of the prior, if there is one, about these parameters.

        These stand about the component as it is: the M-step maximises a lower bound of the penalised
        log-likelihood that touches it there, with its gradient.
        """
        if not self.prior:
            return statistics
        pseudo = self._penalty.penalty_statistics(at.components, plain=False)
        return ModelStatistics(statistics.components + self.prior * pseudo, statistics.latent)

    @property
    def _penalty(self) -> Penalised:
        penalty = self.family.penalty
        assert penalty is not None, "a model has a prior only if its family has one"
        return penalty

    @property
    def is_coupled(self) -> bool:
        """Whether the M-step of a component depends on the others, or on how many there are."""
        return self.family.coupled or self.prior > 0

    def chart(self, parameters: Parameters, weight: Array) -> ModelChart | None:
        """Local coordinates about parameters, of a stack or none, whose components bear the weight (…, K).

        None if the family or the latent structure has none.
        """
        latent = self.latent.chart(parameters.latent, weight)
        components = self.family.chart(parameters.components, weight)
        return ModelChart(latent, components, self) if latent and components else None

    def sample(self, parameters: Parameters, n_rows: int, rng: np.random.Generator) -> tuple[Array, Integers]:
        """Rows (D, n) and the outcome (n,) of each: its component, or K and up for those beyond them."""
        labels = self.latent.sample(parameters.latent, n_rows, rng)
        x = self.family.sample(parameters.components, np.minimum(labels, self.n_components - 1), rng)
        if self.latent.beyond is not None and (beyond := labels >= self.n_components).any():
            x[:, beyond] = self.latent.beyond.draw(labels[beyond] - self.n_components, rng)
        return x, labels

    @property
    def n_outcomes(self) -> int:
        """The components, and what rows may belong to beyond them."""
        return self.n_components + len(self.latent.extra)

    @property
    def n_parameters(self) -> int:
        k = self.n_components
        return self.latent.n_parameters(k) + self.family.n_parameters(k)

    def to_document(self, parameters: Parameters) -> dict[str, object]:
        """Parameters (no stack) in the user's units."""
        return self.latent.to_document(parameters.latent) | self.family.to_document(parameters.components)

    def from_document(self, document: Mapping[str, object]) -> Parameters:
        k = self.n_components
        return Parameters(self.latent.from_document(document, k), self.family.from_document(document, k))


@dataclass(frozen=True, slots=True)
class ModelChart:
    """Coordinates (…, P) of whole mixtures, those of the latent structure first.

    A stack of R base points has charts of its own for each of R candidates; one about a single point serves any number.
    """

    latent: LatentChart
    components: Chart
    model: Model

    def coordinates(self, parameters: Parameters) -> Array:
        parts = self.latent.coordinates(parameters.latent), self.components.coordinates(parameters.components)
        return np.concatenate(parts, axis=-1)

    def parameters(self, u: Array) -> Parameters:
        own = self.latent.size
        return Parameters(self.latent.parameters(u[..., :own]), self.components.parameters(u[..., own:]))

    def gradient(self, found: Expectation) -> Array:
        """(P,) of the log-likelihood, penalised if there is a prior, at the parameters of the E-step."""
        statistics, parameters = found.statistics, found.parameters
        seen = statistics
        if self.model.prior:
            seen = take(self.model.with_prior(stack([statistics]), stack([parameters])), 0)
        return self._gradient(statistics, seen, parameters)

    def gradients(self, found: Batch) -> Array:
        """(R, P) at the parameters of the E-steps of R candidates."""
        statistics, parameters = found.statistics, found.parameters
        seen = self.model.with_prior(statistics, parameters) if self.model.prior else statistics
        return self._gradient(statistics, seen, parameters)

    def _gradient(self, statistics: ModelStatistics, seen: ModelStatistics, parameters: Parameters) -> Array:
        of_latent = self.latent.gradient(statistics, parameters.latent)
        return np.concatenate([of_latent, self.components.gradient(seen.components, parameters.components)], axis=-1)


def _replaced(places: Flags, old: Array, new: Array) -> Array:
    """Candidates (R, …) at some places exchanged for others."""
    after = old.copy()
    after[places] = new
    return after


def gathered(found: list[Expectation]) -> tuple[ModelStatistics, Parameters]:
    """What E-steps of one model found, stacked, and where."""
    batch = found[0].batch
    if any(e.batch is not batch for e in found):
        return stack([e.statistics for e in found]), stack([e.parameters for e in found])
    if len(found) == n_candidates(batch.parameters):
        return batch.statistics, batch.parameters
    kept = np.array([e.index for e in found])
    return take(batch.statistics, kept), take(batch.parameters, kept)
