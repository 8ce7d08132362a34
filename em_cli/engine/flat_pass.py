"""The E-step of candidates of several models, their components one behind the other, on rows that are few.

Each candidate has the bits that `one_pass` finds for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.base_measure import base_measure
from em_cli.engine.cache import KEPT_FLOATS, Cache, scratch
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.family import BoundFamily
from em_cli.engine.kept_features import features_of
from em_cli.engine.model import Model
from em_cli.engine.passes import small_buffers
from em_cli.engine.plan import JOINT_FLOATS, rows_of_products, tile_rows
from em_cli.engine.rows import Source


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Candidates of one model, and where they and their components stand among all."""

    model: Model
    candidates: slice
    components: slice

    @property
    def shape(self) -> tuple[int, int]:
        """R, K."""
        return self.candidates.stop - self.candidates.start, self.model.n_components

    @property
    def by_products(self) -> Exponential:
        """Its family."""
        by_products = self.model.family.exponential
        assert by_products is not None, "its E-step is made of products"
        return by_products


def fits(model: Model, rows: Source) -> bool:
    """Whether the rows are one block, and its products are made in one go."""
    n, f, k = rows.n_rows, model.family.n_features(), model.n_components
    return n <= min(tile_rows(f), KEPT_FLOATS // f, rows_of_products(k, f)) and len(rows) == 1


class FewRows:
    """Rows whose features are kept."""

    def __init__(self, source: Source) -> None:
        self.source, self.block = source, source[0]
        self._known = Cache[tuple[Array, Array | None, float]]()  # by family

    def of(self, family: BoundFamily) -> tuple[Array, Array | None, float]:
        """The features (F, n) that components do not have in common, sums (C,) of the others, and the base measure."""
        if (known := self._known.of(family)) is None:
            known = self._known.keep(family, (*self._features(family), base_measure(family, self.source)))
        return known

    def _features(self, family: BoundFamily) -> tuple[Array, Array | None]:
        by_products, cache = family.exponential, self.source.cache
        assert by_products is not None, "the E-step is made of products"
        own = by_products.n_own_features()
        features = features_of(family, cache.features(family), own, self.block)
        if own == family.n_features():
            return features, None
        if (common := cache.common_sums(family, None)) is None:
            common = by_products.common_sums(features, self.block.weights)
            cache.keep_common_sums(family, None, common)
        return features, common


def expected(
    segments: Sequence[Segment], left: Sequence[Integers | None], latent: Any, theta: Array, rows: FewRows
) -> tuple[Array, Array]:
    """The log-likelihoods (R,) and statistics (C, S) at natural parameters (C, F), and those of the latent structure.

    Of each segment all candidates, or those that are left.
    """
    last = segments[-1]
    log_likelihoods, statistics = np.empty(last.candidates.stop), np.empty(theta.shape)
    weighted = theta.copy()
    weighted[:, 0] += last.model.latent.log_prior(latent)
    with small_buffers():
        for segment, some in zip(segments, left, strict=True):
            here, sums, plain, own = (
                log_likelihoods[segment.candidates],
                *(each[segment.components].reshape(*segment.shape, -1) for each in (statistics, theta, weighted)),
            )
            if some is None:
                _look(segment.model, plain, own, rows, here, sums)
            elif len(some):
                few, of_few = np.empty(len(some)), np.empty((len(some), *sums.shape[1:]))
                _look(segment.model, plain[some], own[some], rows, few, of_few)
                here[some], sums[some] = few, of_few
    return log_likelihoods, statistics


def _look(model: Model, theta: Array, weighted: Array, rows: FewRows, log_likelihoods: Array, sums: Array) -> None:
    """Write the log-likelihoods (R,) and statistics (R, K, S), those at a time that fit a core's own cache."""
    features, common, measure = rows.of(model.family)
    f, n = features.shape
    natural = np.ascontiguousarray(weighted[..., :f])
    at_once = max(1, JOINT_FLOATS // (theta.shape[1] * n))
    for first in range(0, len(theta), at_once):
        some = slice(first, first + at_once)
        joint = scratch("joint", *natural[some].shape[:2], n)
        exponential_family.log_density(features, natural[some], None, joint)
        posterior = model.latent.posterior(joint, None, rows.block, rows.block.weights)
        log_likelihoods[some] = model.latent.total(posterior.log_likelihood, rows.block, rows.block.weights)
        sums[some, :, :f] = exponential_family.statistics(features, joint)
    if common is not None:
        left_out, sums[..., f:] = exponential_family.of_common(theta, sums[..., 0], common[None])
        log_likelihoods += left_out
    log_likelihoods += measure
