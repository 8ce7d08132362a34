"""Families that have conjugate priors: normal components, columns whose distribution has one, products of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from em_cli.engine.family import BoundFamily
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.missing import GaussianWithGaps
from em_cli.families.product import BoundProduct, bound
from em_cli.families.transformed import BoundTransformed, around
from em_cli.families.variational.approximate import Conjugate
from em_cli.families.variational.conjugate_columns import ConjugateColumns
from em_cli.families.variational.gaussian import conjugate_gaussian


def conjugate_of(family: BoundFamily) -> Conjugate | None:
    """None if it has no conjugate prior."""
    match family:
        case BoundGaussian():
            return conjugate_gaussian(family)
        case GaussianWithGaps():
            return conjugate_gaussian(family.base, family)
        case Columnwise() if family.priors is not None:
            return ConjugateColumns(family, family.priors)
        case BoundProduct():
            parts = [own for part in family.families if (own := conjugate_of(part)) is not None]
            return ConjugateProduct(family, parts) if len(parts) == len(family.families) else None
        case BoundTransformed():
            within = conjugate_of(family.base)
            return within and ConjugateTransformed(family, within)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class ConjugateProduct:
    """Each family has a prior of its own."""

    base: BoundProduct
    parts: Sequence[Conjugate]

    @property
    def hyperparameters(self) -> frozenset[str]:
        return frozenset[str]().union(*(part.hyperparameters for part in self.parts))

    def approximated(self, prior: Mapping[str, object]) -> BoundFamily:
        return bound(tuple(part.approximated(prior) for part in self.parts), self.base.columns_of)

    def at_mode(self, prior: Mapping[str, object]) -> BoundFamily:
        return bound(tuple(part.at_mode(prior) for part in self.parts), self.base.columns_of)

    def predictive(self) -> BoundFamily:
        return bound(tuple(part.predictive() for part in self.parts), self.base.columns_of)


@dataclass(frozen=True, slots=True, eq=False)
class ConjugateTransformed:
    """That of the family within."""

    base: BoundTransformed
    within: Conjugate

    @property
    def hyperparameters(self) -> frozenset[str]:
        return self.within.hyperparameters

    def approximated(self, prior: Mapping[str, object]) -> BoundFamily:
        return around(self.within.approximated(prior), self.base.transforms)

    def at_mode(self, prior: Mapping[str, object]) -> BoundFamily:
        return around(self.within.at_mode(prior), self.base.transforms)

    def predictive(self) -> BoundFamily:
        return around(self.within.predictive(), self.base.transforms)
