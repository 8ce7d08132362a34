"""The rows on which a search stands, and mixtures as they look from there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers, map_arrays, stack, take
from em_cli.engine.cache import Cache
from em_cli.engine.climb import FitResult
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.row_sums import MOST_FEATURES, features_of, sums_of_rows
from em_cli.engine.rows import Block
from em_cli.engine.scoring import score_block
from em_cli.engine.stopping import Status
from em_cli.runners.serial import Serial
from em_cli.search.ledger import Degeneracies, DegeneracyCheck
from em_cli.search.survey import Survey

KEPT_RESPONSIBILITIES = 1 << 20  # floats, of the mixtures that were looked at of late
MANY_PATTERNS = 4_000  # of missing cells, times features: parting components by each pattern takes most of a search
KEPT_VERDICTS = 1 << 20  # floats of the parameters that were judged of late


@dataclass(frozen=True, slots=True, eq=False)
class MixtureView:
    """A mixture with what the rows say of its components."""

    result: FitResult
    weighted_responsibilities: Array  # (K, n) responsibilities times case weights
    statistics: Array  # (K, S), which add over components
    latent: Any = None  # statistics of the latent structure, of a model whose rows are looked at in groups

    def carried(self, shares: Array) -> Any:
        """Those of components that are made of these shares (K', K) of its own; None if there are none."""
        return None if self.latent is None else self.model.latent.mixed(self.latent, shares)

    @property
    def model(self) -> Model:
        return self.result.candidate.model


@dataclass(slots=True, eq=False)
class SearchData:
    """All rows of the data, or a sample of them, in one block."""

    survey: Survey
    halted: Callable[[], bool]
    n_for_bic: float = field(init=False)  # weight of the rows; steps in time of which nothing was seen are none
    _n_patterns: int | None = field(default=None, init=False, repr=False)
    _assess: DegeneracyCheck = field(init=False, repr=False)
    _features: Cache[Array] = field(default_factory=Cache, init=False, repr=False)  # by family
    _completed: Cache[Array] = field(default_factory=Cache, init=False, repr=False)
    _embeddings: Cache[Array] = field(default_factory=Cache, init=False, repr=False)
    _responsibilities: Cache[Array] = field(init=False, repr=False)  # by parameters
    _verdicts: Cache[Degeneracies] = field(init=False, repr=False)
    _models: Cache[dict[tuple[object, ...], Model]] = field(default_factory=Cache, init=False, repr=False)  # by family

    def __post_init__(self) -> None:
        self._assess = DegeneracyCheck(self.survey, Serial())
        seen, weights = ~np.isnan(self.block.x).all(axis=0), self.block.weights
        self.n_for_bic = float(seen.sum() if weights is None else weights[seen].sum())
        self._responsibilities = Cache(floats=KEPT_RESPONSIBILITIES)
        self._verdicts = Cache(floats=KEPT_VERDICTS)

    @property
    def block(self) -> Block:
        return self.survey.block

    def of_size(self, model: Model, k: int) -> Model:
        """The same with so many components: one for all that ask, so that their climbs go together."""
        known = self._models.of(model.family)
        known = self._models.keep(model.family, {}) if known is None else known
        key = id(model.latent), model.prior, k
        return known.setdefault(key, replace(model, n_components=k))

    def features(self, model: Model, rows: Integers | slice = slice(None)) -> Array:
        """(F, n) of some rows; those of all rows are kept, if they are few."""
        family = model.family
        if (known := self._features.of(family)) is not None:
            # of one layout, as if made anew
            return known[:, rows] if isinstance(rows, slice) else known.take(rows, axis=1)
        x = self.block.x[:, rows]
        features = features_of(family, x)
        if x.shape[1] == self.block.x.shape[1] and features.size <= MOST_FEATURES:
            self._features.keep(family, features)
        return features

    def n_patterns(self, model: Model) -> int:
        """Patterns of missing cells, where passes go through them one by one; 0 where they do not."""
        if model.family.reweighting is None:
            return 0
        if self._n_patterns is None:
            missing = np.isnan(self.block.x)
            self._n_patterns = np.unique(missing, axis=1).shape[1] if missing.any() else 1
        return self._n_patterns

    def filled_in(self, model: Model) -> Array | None:
        """(F, n) of all rows as one component expects their missing cells, where patterns of these are many and wide.

        None where rows are as well looked at as they are.
        """
        family, x = model.family, self.block.x
        if family.completing is None or family.reweighting is None or x.size > MOST_FEATURES or not np.isnan(x).any():
            return None
        if (known := self._completed.of(family)) is not None:
            return known
        n_patterns = self.n_patterns(model)
        if n_patterns == 1 or n_patterns * family.n_features() < MANY_PATTERNS:
            return None
        ones = np.ones((1, x.shape[1]))
        mass = ones if self.block.weights is None else self.block.weights[None]
        one = take(family.maximize(self.statistics(model, mass)[None], None), 0)
        return self._completed.keep(family, features_of(family, family.completing.complete(x, one, ones)))

    def embedding(self, model: Model) -> Array:
        """(E, n)."""
        known = self._embeddings.of(model.family)
        return self._embeddings.keep(model.family, model.family.embedding(self.block.x)) if known is None else known

    def responsibilities(self, result: FitResult) -> Array:
        """(L, n) of the components, and of the outcomes beyond them."""
        if (known := self._responsibilities.of(result.parameters)) is not None:
            return known
        found = score_block(result.candidate.model, result.parameters, self.block).responsibilities
        return self._responsibilities.keep(result.parameters, found, found.size)

    def weighted_responsibilities(self, result: FitResult) -> Array:
        """(K, n) responsibilities times case weights."""
        r = self.responsibilities(result)[: result.candidate.model.n_components]
        return r if self.block.weights is None else r * self.block.weights

    def statistics(self, model: Model, weighted_responsibilities: Array, components: object = None) -> Array:
        """(K, S) of masses (K, n), which add over components; these may tell what the rows weigh in them."""
        frame = reference_of(model.family, map_arrays(lambda array: array[None], components))
        statistics: Array = self.sums(model, weighted_responsibilities[None], frame)[0]
        return statistics

    def sums(self, model: Model, masses: Array, frame: object) -> Array:
        """(R, K, S) of masses (R, K, n) in a frame, or in none."""
        if self.block.n_rows * model.family.n_features() <= MOST_FEATURES:
            return model.family.statistics(self.features(model), masses, frame)
        return sums_of_rows(model.family, self.block.x, masses, frame)

    def view(self, result: FitResult) -> MixtureView:
        weighted_responsibilities = self.weighted_responsibilities(result)
        return MixtureView(
            result,
            weighted_responsibilities,
            self.statistics(result.candidate.model, weighted_responsibilities, result.parameters.components),
            self._latent_statistics(result),
        )

    def _latent_statistics(self, result: FitResult) -> Any:
        model = result.candidate.model
        if not model.latent.needs_groups:
            return None
        (batch,) = one_pass([Stack(model, stack([result.parameters]))], self.survey.source, Serial())
        return take(batch.statistics.latent, 0)

    def checked(self, results: Sequence[FitResult]) -> list[Degeneracies]:
        """Which components of each result are degenerate, by the distinct rows that they rest on."""
        known = [None if r.status is Status.DEGENERATE else self._verdicts.of(r.parameters) for r in results]
        new = self._assess([result for result, verdict in zip(results, known, strict=True) if verdict is None])
        verdicts = iter(new)
        return [self._judged(r, next(verdicts)) if v is None else v for r, v in zip(results, known, strict=True)]

    def _judged(self, result: FitResult, verdict: Degeneracies) -> Degeneracies:
        """The verdict, remembered of a climb that had one."""
        if result.status is Status.DEGENERATE:
            return verdict
        model = result.candidate.model
        return self._verdicts.keep(result.parameters, verdict, model.n_components * model.family.n_features())

    def degeneracies(self, result: FitResult) -> Degeneracies:
        return self.checked([result])[0]

    def sound(self, result: FitResult) -> bool:
        return not any(self.degeneracies(result))


def reference_of(family: BoundFamily, components: object) -> Any:
    """The frame for statistics of stacked components that shall add: none, unless they weigh rows."""
    if components is None or family.reweighting is None:
        return None
    return family.reweighting.reference(components)
