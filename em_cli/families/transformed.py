"""A family of columns some of which are fitted on another scale; it speaks of them in their own.

The log-density has the slope of the transformation in it (its Jacobian), so likelihoods are of the data as
they are given, and comparable with those of any other family. Parameters in documents are those of the other scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import (
    Approximate,
    BoundFamily,
    Completing,
    Ellipsoids,
    Elliptic,
    Family,
)
from em_cli.engine.transforms import Transform, forward
from em_cli.errors import UsageError
from em_cli.families.distributions.support import POSITIVE, PROPORTIONS, Support
from em_cli.families.within import Within

QUANTILES = 4000  # at whose values moments are taken


def _above_minus_one(lowest: float, highest: float, margin: float) -> tuple[float, float]:
    return max(lowest - margin, lowest - 0.9 * (lowest + 1)), highest + margin


SUPPORTS: Mapping[str, Support] = {
    "log": POSITIVE,
    "log1p": Support("a number > -1", lambda x: x > -1, lambda x, columns: x, drawn=_above_minus_one),
    "sqrt": POSITIVE,
    "logit": PROPORTIONS,
}  # the cells of columns that are transformed so

Transforms = Mapping[int, Transform]  # by the places of the columns


@dataclass(frozen=True, slots=True, eq=False)
class Transformed:
    """A family around one that describes numbers."""

    base: Family
    transforms: Transforms

    describes: ClassVar[str] = "numeric"
    title: ClassVar[str] = "mixture on other scales"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = ()  # those of the base

    @property
    def support(self) -> None:
        """Cells are checked as they are read."""
        return None

    def bind(self, columns: Columns) -> BoundTransformed:
        """The columns are those of the scales on which they are fitted."""
        bound = self.base.bind(columns)
        if bound.elliptic is None:
            raise UsageError(f"--transform does not apply: a {self.base.title} has no means and covariances to tell.")
        return around(bound, self.transforms)


def around(bound: BoundFamily, transforms: Transforms) -> BoundTransformed:
    assert bound.elliptic is not None, "families of transformed columns have means and covariances to tell"
    return BoundTransformed(bound, bound.elliptic, transforms)


@dataclass(frozen=True, slots=True, eq=False)
class BoundTransformed(Within):
    """The two steps are those of the family within, at transformed rows."""

    base: BoundFamily
    contours: Elliptic
    transforms: Transforms

    @property
    def completing(self) -> BoundTransformed | None:
        return self if self.base.completing else None

    @property
    def elliptic(self) -> BoundTransformed:
        return self

    @property
    def approximate(self) -> Approximate | None:
        return self.base.approximate

    def features(self, x: Array, out: Array) -> None:
        self.base.features(forward(x, self.transforms), out)

    def base_measure(self, x: Array) -> Array:
        """With the logarithm of the Jacobian."""
        slopes = sum(transform.taken(x[place])[1] for place, transform in self.transforms.items())
        return np.asarray(self.base.base_measure(forward(x, self.transforms)) + slopes)

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(forward(x, self.transforms))

    def moments(self, parameters: object) -> tuple[Array, Array]:
        """In the user's units; NaN where there is none."""
        mean, sd = (found.copy() for found in self.base.moments(parameters))
        for group in self.contours.ellipsoids(parameters):
            for at, place in enumerate(group.columns):
                if place in self.transforms:
                    law = group.locations[:, at], np.sqrt(group.variances[:, at]), group.dof
                    mean[:, place], sd[:, place] = _moments(self.transforms[place], *law)
        return mean, sd

    def sample(self, parameters: object, labels: Integers, rng: np.random.Generator) -> Array:
        return self._back(self.base.sample(parameters, labels, rng))

    def ellipsoids(self, parameters: object) -> list[Ellipsoids]:
        """Of the columns that are not transformed: the contours of others are none in the user's units."""
        found = []
        for group in self.contours.ellipsoids(parameters):
            kept = [at for at, place in enumerate(group.columns) if place not in self.transforms]
            if kept:
                columns = tuple(group.columns[at] for at in kept)
                own = group.scales[:, kept]
                scales = own if own.ndim == 2 else own[:, :, kept]
                found.append(Ellipsoids(columns, group.locations[:, kept], scales, group.dof, group.exact))
        return found

    def complete(self, x: Array, parameters: object, responsibilities: Array) -> Array:
        """A transformed cell is the one whose transform is expected: rather a median than a mean."""
        return self._filled(x, self._completing.complete(forward(x, self.transforms), parameters, responsibilities))

    def draw(self, x: Array, parameters: object, labels: Integers, rng: np.random.Generator) -> Array:
        return self._filled(x, self._completing.draw(forward(x, self.transforms), parameters, labels, rng))

    @property
    def _completing(self) -> Completing:
        completing = self.base.completing
        assert completing is not None, "the family within can fill missing cells"
        return completing

    def _filled(self, x: Array, y: Array) -> Array:
        """Cells that are there stay as they are, to the bit."""
        return np.where(np.isnan(x), self._back(y), x)

    def _back(self, y: Array) -> Array:
        x = y.copy()
        for place, transform in self.transforms.items():
            x[place] = transform.inverse(y[place])
        return x


def _moments(transform: Transform, location: Array, scale: Array, dof: Array | None) -> tuple[Array, Array]:
    """Mean and standard deviation (K,) of what is normal, or t, when transformed; NaN where there are none.

    They are those of many equally likely quantiles, but for logarithms of normal variables, where they are known.
    """
    if transform.less is not None and dof is not None:
        return np.full_like(location, np.nan), np.full_like(location, np.nan)
    if transform.less is not None:
        with np.errstate(over="ignore"):
            mean = np.exp(location + 0.5 * scale**2)
            return mean - transform.less, mean * np.sqrt(np.expm1(scale**2))
    from scipy.special import ndtri, stdtrit  # a quarter of a second to import: only where columns are transformed

    share = (np.arange(QUANTILES) + 0.5) / QUANTILES
    z = ndtri(share) if dof is None else stdtrit(dof[:, None], share)
    x = transform.inverse(location[:, None] + scale[:, None] * z)
    return x.mean(axis=1), x.std(axis=1)
