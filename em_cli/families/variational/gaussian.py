"""Normal components under a conjugate prior: their approximate posteriors, and what new rows look like under these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.documents import field, finite
from em_cli.engine.family import BoundFamily
from em_cli.engine.hyperparameters import law_in
from em_cli.errors import DataError, UsageError
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.missing import GaussianWithGaps
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.patterns import Patterns
from em_cli.families.gaussian.prior import scatter
from em_cli.families.student_t.missing import student_t_with_gaps
from em_cli.families.student_t.parameters import StudentTParameters, of_normal
from em_cli.families.student_t.student_t import BoundStudentT
from em_cli.families.variational import laplace_means, laplace_precisions, normal_wishart
from em_cli.families.variational.approximate import BoundApproximate
from em_cli.families.variational.expected import averages
from em_cli.families.variational.mode import BoundMode, Modes
from em_cli.families.variational.normal_wishart import NormalWishart, posterior_of
from em_cli.families.variational.predictive import Law, Predictive
from em_cli.families.variational.shares import SHARE, of_precisions, of_t
from em_cli.families.variational.t_columns import IndependentT, TColumns

KEYS = frozenset({"mean", "mean_precision", "degrees_of_freedom", "covariance"})
PENALTIES: Mapping[
    str, tuple[str, str, Callable[[BoundGaussian, float], Modes]]
] = {  # a structure and how it is asked for
    laplace_means.KEY: (
        "VVI",
        "a variance for each column of each component: --covariance diag",
        laplace_means.laplace_means,
    ),
    laplace_precisions.KEY: (
        "VVV",
        "a covariance matrix for each component: --covariance full",
        laplace_precisions.laplace_precisions,
    ),
}
STRUCTURES = ("VVV", "EEE", "VVI", "VII")  # whose posteriors are of the prior's form


@dataclass(frozen=True, slots=True, eq=False)
class ConjugateGaussian:
    """Normal components that may have a conjugate prior, and know which cells of new rows may be missing."""

    base: BoundGaussian
    gaps: GaussianWithGaps | None

    @property
    def hyperparameters(self) -> frozenset[str]:
        return KEYS | PENALTIES.keys()

    def approximated(self, prior: Mapping[str, object]) -> BoundFamily:
        self._check_gaps("variational Bayes of normal components")
        return BoundApproximate(self._own, NormalPosteriors(self.base, prior_of(self.base, prior)))

    @property
    def _own(self) -> BoundGaussian | GaussianWithGaps:
        return self.base if self.gaps is None else self.gaps

    def _check_gaps(self, what: str) -> None:
        """Missing cells have an approximate posterior of their own, normal in each component, where columns depend
        on each other; what rows are worth then, and the statistics, are those of the likelihood at the point."""
        if self.gaps is not None and not isinstance(self.gaps.gaps, Patterns):
            raise UsageError(
                f"{what} takes rows with missing cells where columns depend on each other: --covariance full or tied. "
                "Here --missing drop leaves them out."
            )

    def at_mode(self, prior: Mapping[str, object]) -> BoundFamily:
        if penalties := [key for key in PENALTIES if key in prior]:
            return self._penalised(penalties[0], prior)
        if not KEYS & prior.keys():
            return self._own
        self._check_gaps("a normal–Wishart prior of means and covariances")
        return BoundMode(self._own, NormalModes(self.base, prior_of(self.base, prior)))

    def _penalised(self, key: str, prior: Mapping[str, object]) -> BoundFamily:
        begin, (structure, need, penalised) = f"prior.{key}=laplace", PENALTIES[key]
        if self.base.letters.mclust[1] != structure:
            raise UsageError(f"{begin} needs {need} has them.")
        self._check_gaps(begin)
        if others := sorted((KEYS | PENALTIES.keys()) & (prior.keys() - {key})):
            raise UsageError(f"{begin} and prior.{others[0]} are two priors of means and variances: leave one out.")
        return BoundMode(self._own, penalised(self.base, law_in(prior, key)[1][0]))

    def predictive(self) -> BoundFamily:
        point = self.base if self.gaps is None else self.gaps
        return Predictive(point, NormalReading(self.base, self.gaps is not None))


def conjugate_gaussian(base: BoundGaussian, gaps: GaussianWithGaps | None = None) -> ConjugateGaussian | None:
    """None of the structures that have no conjugate prior, or where means are fixed."""
    known = base.letters.mclust[1] in STRUCTURES and base.fixed is None
    return ConjugateGaussian(base, gaps) if known else None


def prior_of(base: BoundGaussian, given: Mapping[str, object]) -> NormalWishart:
    """As the configuration says; by default about the mean of the data, as wide as they are, and as weak as can be."""
    d, letters, columns = base.n_columns, base.letters, base.columns
    side = 1 if letters.diagonal else d
    strength, dof = _number_of(given, "mean_precision", 1.0), _number_of(given, "degrees_of_freedom", side)
    if not dof > side - 1:
        raise UsageError(f"prior.degrees_of_freedom must be above {side - 1} for {d} columns, not {dof:g}.")
    mean = np.zeros(d)
    if "mean" in given:
        mean = (_numbers(given["mean"], "mean", (d,)) - columns.mean) / base.scale
    if "covariance" in given:
        scale = _covariance_given(base, given["covariance"])
    else:
        cells = np.maximum(columns.weight, 1.0)
        scale = scatter(columns, base.scale, 1, letters.diagonal)
        unbiased = cells / np.maximum(cells - 1, 0.5)
        scale = scale * (unbiased if letters.diagonal else np.sqrt(np.outer(unbiased, unbiased)))
        scale = _with_width(scale, base)
    if letters.isotropic:
        scale = np.full(d, scale.mean())
    return NormalWishart(np.array([strength]), mean[None], np.array([dof]), scale[None])


def _number_of(given: Mapping[str, object], key: str, default: float) -> float:
    found = given.get(key, default)
    assert isinstance(found, int | float), "the configuration holds a number there"
    return float(found)


def _with_width(scale: Array, base: BoundGaussian) -> Array:
    """What a constant column, or rounding, would leave without any."""
    if base.letters.diagonal:
        return np.maximum(scale, np.maximum(base.bounds.variance, 1e-300))
    return scale


def _covariance_given(base: BoundGaussian, value: object) -> Array:
    d, unit = base.n_columns, base.scale
    if base.letters.diagonal:
        variances = _numbers(value, "covariance", (d,)) / (unit * unit)
        if not (variances > 0).all():
            raise UsageError("prior.covariance must hold variances above 0, one for each column.")
        return variances
    matrix = _numbers(value, "covariance", (d, d)) / np.outer(unit, unit)
    if not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0) or not (np.linalg.eigvalsh(matrix) > 0).all():
        raise UsageError("prior.covariance must hold a symmetric, positive definite matrix.")
    return matrix


def _numbers(value: object, name: str, shape: tuple[int, ...]) -> Array:
    try:
        found = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        found = np.empty(0)
    if found.shape != shape or not np.isfinite(found).all():
        of = " lists of ".join(map(str, shape))
        raise UsageError(f"prior.{name} must hold {of} numbers, those of the columns in their order.")
    return found


@dataclass(frozen=True, slots=True, eq=False)
class NormalPosteriors:
    base: BoundGaussian
    prior: NormalWishart

    def posterior(self, statistics: Array, at: GaussianParameters | None) -> NormalWishart:
        return posterior_of(self.prior, self.base.letters, *averages(self.base, statistics, at))

    def expected(self, posterior: NormalWishart) -> tuple[GaussianParameters, Array]:
        return point(self.base, posterior), normal_wishart.offset(posterior, self.base.letters)

    def divergence(self, posterior: NormalWishart) -> Array:
        return normal_wishart.divergence(posterior, self.prior, self.base.letters)

    def to_document(self, posterior: NormalWishart) -> dict[str, object]:
        own, prior = in_units(self.base, posterior), in_units(self.base, self.prior)
        told = {name: prior[name][0] for name in prior}
        return {
            "prior_parameters": {name: value.tolist() for name, value in told.items()},
            "posterior": {name: value.tolist() for name, value in own.items()},
            "intervals": intervals(self.base, posterior),
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> NormalWishart:
        return read(self.base, document, n_components)


@dataclass(frozen=True, slots=True, eq=False)
class NormalModes:
    """Of means and covariances: the density is that of these, and not of the precisions."""

    base: BoundGaussian
    prior: NormalWishart

    def mode(self, statistics: Array, at: GaussianParameters | None) -> GaussianParameters:
        letters = self.base.letters
        posterior = posterior_of(self.prior, letters, *averages(self.base, statistics, at))
        return self.base.completed(posterior.means, normal_wishart.modes(posterior, letters), floored=True)

    def log_prior(self, parameters: GaussianParameters) -> Array:
        return normal_wishart.log_density(self.prior, self.base.letters, parameters.means, parameters.factors)

    def told(self, parameters: GaussianParameters) -> dict[str, object]:
        return {}


def point(base: BoundGaussian, posterior: NormalWishart) -> GaussianParameters:
    """The expected means, and the inverses of the expected precisions."""
    return base.completed(posterior.means, normal_wishart.covariances(posterior, base.letters))


def in_units(base: BoundGaussian, at: NormalWishart) -> dict[str, Array]:
    """Without a stack, in the user's units."""
    unit = base.scale**2 if base.letters.diagonal else np.outer(base.scale, base.scale)
    return {
        "means": at.means * base.scale + base.columns.mean,
        "mean_precision": at.mean_precision,
        "degrees_of_freedom": at.dof,
        "inverse_scale": at.scales * unit,
    }


def read(base: BoundGaussian, document: Mapping[str, object], k: int) -> NormalWishart:
    """The hyperparameters of a document, in coordinates of the family; `DataError` names a field that cannot be."""
    own, d = field(document, "posterior"), base.n_columns
    if not isinstance(own, Mapping):
        raise DataError("the field 'posterior' must hold the posterior of a variational fit.")
    shapes = {
        "means": (k, d),
        "mean_precision": (k,),
        "degrees_of_freedom": (k,),
        "inverse_scale": (k, d) if base.letters.diagonal else (k, d, d),
    }
    found = {name: finite(own, name) for name in shapes}
    for name, shape in shapes.items():
        if found[name].shape != shape:
            raise DataError(f"the field 'posterior.{name}' has the shape {list(found[name].shape)}, not {list(shape)}.")
    unit = base.scale**2 if base.letters.diagonal else np.outer(base.scale, base.scale)
    scales, dof, precision = found["inverse_scale"] / unit, found["degrees_of_freedom"], found["mean_precision"]
    definite = (scales > 0).all() if base.letters.diagonal else (np.linalg.eigvalsh(scales) > 0).all()
    if not (definite and (precision > 0).all() and (dof > (0 if base.letters.diagonal else d - 1)).all()):
        raise DataError("the field 'posterior' holds precisions, degrees of freedom or matrices that cannot be.")
    return NormalWishart(precision, (found["means"] - base.columns.mean) / base.scale, dof, scales)


def intervals(base: BoundGaussian, at: NormalWishart) -> dict[str, object]:
    """Of mean and standard deviation (K, D) of each column."""
    d, diagonal = base.n_columns, base.letters.diagonal
    dof = np.repeat((at.dof if diagonal else at.dof - d + 1)[:, None], d, axis=1)
    variances = at.scales if diagonal else np.diagonal(at.scales, axis1=-2, axis2=-1)
    centre = at.means * base.scale + base.columns.mean
    width = base.scale * np.sqrt(variances / (dof * at.mean_precision[:, None]))
    return {
        "share": SHARE,
        "mean": of_t(centre, width, dof).tolist(),
        "sd": of_precisions(base.scale**2 * variances, dof).tolist(),
    }


@dataclass(frozen=True, slots=True, eq=False)
class NormalReading:
    """Reads posteriors, and makes of them the laws of new rows: t distributions."""

    base: BoundGaussian
    with_gaps: bool

    @property
    def law(self) -> Law:
        """Of one component."""
        if self.base.letters.diagonal and not self.base.letters.isotropic:
            return IndependentT(self.base.n_columns)
        full = BoundStudentT(self.base, "free")
        return student_t_with_gaps(full) if self.with_gaps else full

    def posterior(self, document: Mapping[str, object], n_components: int) -> NormalWishart:
        return read(self.base, document, n_components)

    def point(self, posterior: NormalWishart) -> GaussianParameters:
        return point(self.base, posterior)

    def of_law(self, posterior: NormalWishart) -> StudentTParameters | TColumns:
        """The parameters of the law: location, scale matrix S(β + 1)/(β(ν − D + 1)), degrees of freedom ν − D + 1."""
        base, at, wider = self.base, posterior, (1 + 1 / posterior.mean_precision)
        if base.letters.diagonal:
            dof = at.dof
            variances = wider[..., None] * at.scales / dof[..., None]
            if not base.letters.isotropic:
                unit = base.scale
                return TColumns(at.means * unit + base.columns.mean, np.sqrt(variances) * unit, dof)
            return of_normal(base.completed(at.means, variances), dof)
        dof = at.dof - base.n_columns + 1
        return of_normal(base.completed(at.means, (wider / dof)[..., None, None] * at.scales), dof)
