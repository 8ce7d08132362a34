"""Student t components where cells may be missing: the likelihood of what is observed, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import Recent
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.family import Chart
from em_cli.engine.patterns import Bundle, Groups, grouped
from em_cli.families.complete_data import of_base
from em_cli.families.gaussian.binding import bound_gaussian
from em_cli.families.gaussian.marginals import packed
from em_cli.families.gaussian.missing import GaussianWithGaps
from em_cli.families.gaussian.patterns import Patterns, padded, patterns, product, sums_of
from em_cli.families.student_t.marginals import StudentTMarginals, of_matrices, student_t_marginals, whitened_sums
from em_cli.families.student_t.parameters import StudentTParameters
from em_cli.families.student_t.student_t import BoundStudentT

_recent = Recent[StudentTMarginals]()


@dataclass(frozen=True, slots=True)
class Filling:
    """Parameters by which rows are weighed and what is missing is filled in; the sums are in no frame of theirs."""

    by: StudentTParameters


@dataclass(frozen=True, slots=True, eq=False)
class StudentTWithGaps:
    """What is special about missing cells, around the family of complete data.

    They are missing data of an EM algorithm whose complete data have the bound of `StudentT`: the
    statistics are expected ones of complete data, so that M-step and chart are as there. Behind
    them stands the sum of the entropies of what is missing. Whatever the structure, the E-step
    is that of matrices: given their distance, cells depend on each other.
    """

    exponential: ClassVar[None] = None
    approximate: ClassVar[None] = None

    base: BoundStudentT
    _matrix: GaussianWithGaps = field(repr=False)  # of full matrices, in the same coordinates
    _patterns: Patterns = field(repr=False)  # its own

    n_parameters = of_base(BoundStudentT.n_parameters)
    degenerate = of_base(BoundStudentT.degenerate)
    moments = of_base(BoundStudentT.moments)
    to_document = of_base(BoundStudentT.to_document)
    from_document = of_base(BoundStudentT.from_document)
    sample = of_base(BoundStudentT.sample)

    @property
    def reweighting(self) -> StudentTWithGaps:
        return self

    @property
    def penalty(self) -> StudentTWithGaps:
        return self

    @property
    def completing(self) -> StudentTWithGaps:
        return self

    @property
    def elliptic(self) -> BoundStudentT:
        return self.base

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self._matrix.n_features()

    def features(self, x: Array, out: Array) -> None:
        self._matrix.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self._matrix.base_measure(x)

    def embedding(self, x: Array) -> Array:
        """Missing cells stand where the data as a whole let expect them."""
        normal = self.base.normal
        scale, mean = normal.scale[:, None], normal.columns.mean[:, None]
        return self.base.embedding(np.where(np.isnan(x), self._matrix.embedding(x) * scale + mean, x))

    def log_density(self, features: Array, parameters: StudentTParameters, offset: Array, out: Array) -> None:
        groups = grouped(features[self._patterns.base.n_features() :])
        if groups.order is not None:
            ordered = np.empty_like(out)
            self.log_density(features[:, groups.order], parameters, offset, ordered)
            out[..., groups.order] = ordered
            return
        for made, parts in self._marginals(groups, parameters):
            for places, some in parts:
                joint = some.room(out)
                self._distances(some.of(features[: self._patterns.base.n_features()]), parameters, made, places, joint)
                np.log(joint, out=joint)
                joint *= made.power[places][..., None]
                joint += (made.level[places] + offset)[..., None]
                some.put(joint, out)

    def _distances(
        self, features: Array, parameters: StudentTParameters, made: StudentTMarginals, places: Integers, out: Array
    ) -> None:
        """Write 1 + δₒ/ν (Q, R, K, m) of rows (Q, F, m) of as many patterns."""
        (r, k), wide = np.nonzero(parameters.normal.concentrated), not parameters.normal.concentrated.all()
        if wide:
            product(features, made.theta[places], out)
            np.maximum(out, 1.0, out=out)
        if made.normal.given is not None:
            y = made.normal.given.whitened(places, padded(features[:, 1 : 1 + self.base.n_columns]))
            squares = np.einsum("qtdm,qtdm->qtm", y, y)[..., : features.shape[-1]]
            out[:, r, k] = 1 + squares / parameters.dof[r, k, None]

    def statistics(
        self, features: Array, responsibilities: Array, parameters: StudentTParameters | Filling | None
    ) -> Array:
        f, d, shape = self._patterns.base.n_features(), self.base.n_columns, responsibilities.shape[:2]
        if parameters is None:
            sums = self._patterns.filled(features, responsibilities, self._patterns.overall)
            rest = np.stack([np.zeros(shape), np.zeros(shape), sums[..., f]], axis=-1)
            return np.concatenate([sums[..., :1], self._of_structure(sums[..., :f]), rest], axis=-1)
        plain = isinstance(parameters, Filling)
        at = parameters.by if isinstance(parameters, Filling) else parameters
        total, weight, logs, entropy = np.zeros((*shape, f)), np.zeros(shape), np.zeros(shape), np.zeros(shape)
        i, j = np.nonzero(np.zeros_like(at.normal.concentrated) if plain else at.normal.concentrated)
        exact = np.zeros((len(i), 1 + d, 1 + d))
        groups, features, responsibilities = self._patterns.in_order(features, responsibilities)
        for made, parts in self._marginals(groups, at):
            raw, mass = np.zeros((*made.theta.shape[:-1], f)), np.zeros(made.theta.shape[:-1])
            far = np.zeros_like(mass)
            for places, some in parts:
                z, r = some.of(features[:f]), some.once(responsibilities)
                distances = np.empty_like(r)
                self._distances(z, at, made, places, distances)
                weighed = r / distances * made.share[places][..., None]
                raw[places], mass[places] = sums_of(z, weighed), np.add.reduce(r, axis=-1)
                far[places] = np.add.reduce(r * np.log(distances), axis=-1)
                if made.normal.given is not None and len(exact):
                    blurred = (mass[places] * at.dof / (at.dof + d))[:, i, j]
                    exact += whitened_sums(made.normal.given, places, z[:, 1 : 1 + d], weighed[:, i, j], blurred)
            total += made.normal.completed(raw, mass * (at.dof / (at.dof + d)), plain)
            weight += np.add.reduce(mass, axis=0)
            logs += np.add.reduce(mass * made.logs - far, axis=0)
            entropy += np.add.reduce(mass * made.entropy + 0.5 * made.normal.n_missing * far, axis=0)
        total[i, j] = exact.reshape(-1, (1 + d) ** 2).take(packed(d), axis=-1)
        rest = np.stack([logs, np.zeros(shape), entropy], axis=-1)
        return np.concatenate([weight[..., None], self._of_structure(total), rest], axis=-1)

    def _of_structure(self, sums: Array) -> Array:
        """Those of the products of columns that the structure has."""
        d, letters = self.base.n_columns, self.base.normal.letters
        if letters.isotropic:
            squares = np.add.reduce(sums[..., 1 + d : 1 + 2 * d], axis=-1, keepdims=True)
            return np.concatenate([sums[..., : 1 + d], squares], axis=-1)
        return sums[..., : 1 + 2 * d] if letters.diagonal else sums

    def _marginals(
        self, groups: Groups, parameters: StudentTParameters
    ) -> Iterator[tuple[StudentTMarginals, list[tuple[Integers, Bundle]]]]:
        normal = of_matrices(parameters.normal)
        for made, parts in self._patterns.marginals(groups, normal):
            known = _recent.of(parameters)
            if known is None or known.normal is not made:
                known = student_t_marginals(made, normal, parameters.dof)
                _recent.keep(parameters, known, known.size)
            yield known, parts

    def reference(self, parameters: StudentTParameters) -> Filling:
        return Filling(parameters)

    def maximize(self, statistics: Array, parameters: StudentTParameters | None) -> StudentTParameters:
        return self.base.maximize(statistics[..., :-1], parameters)

    def expected_log_density(self, statistics: Array, parameters: StudentTParameters) -> Array:
        return self.base.expected_log_density(statistics[..., :-1], parameters) + statistics[..., -1]

    def chart(self, parameters: StudentTParameters, weight: Array) -> ChartWithGaps:
        return ChartWithGaps(self.base.chart(parameters, weight))

    def penalty_statistics(self, parameters: StudentTParameters, plain: bool) -> Array:
        pseudo = self.base.penalty_statistics(parameters, plain)
        return np.concatenate([pseudo, np.zeros_like(pseudo[..., :1])], axis=-1)

    def complete(self, x: Array, parameters: StudentTParameters, responsibilities: Array) -> Array:
        """At the conditional location, which is the mean where there is one."""
        return self._patterns.base.complete(x, of_matrices(parameters.normal), responsibilities)

    def draw(self, x: Array, parameters: StudentTParameters, labels: Integers, rng: np.random.Generator) -> Array:
        normal = of_matrices(parameters.normal)
        return self._patterns.base.draw(x, normal, labels, rng, parameters.dof)


@dataclass(frozen=True, slots=True)
class ChartWithGaps:
    """That of complete data; by Fisher's identity the gradient is that of the expected complete data."""

    chart: Chart

    def coordinates(self, parameters: StudentTParameters) -> Array:
        return self.chart.coordinates(parameters)

    def parameters(self, u: Array) -> StudentTParameters:
        of: StudentTParameters = self.chart.parameters(u)
        return of

    def gradient(self, statistics: Array, parameters: StudentTParameters) -> Array:
        return self.chart.gradient(statistics[..., :-1], parameters)


def student_t_with_gaps(base: BoundStudentT) -> StudentTWithGaps:
    """The family of the same structure."""
    normal = base.normal
    full = patterns(bound_gaussian("full", replace(normal.columns, sd=normal.scale)))
    return StudentTWithGaps(base, GaussianWithGaps(full.base, full), full)
