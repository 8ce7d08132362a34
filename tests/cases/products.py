"""Groups of columns of different families."""

from __future__ import annotations

from typing import Any

import numpy as np
from support import Case, Document, Kinds

from cases.counts import poisson_of_all, scipy_poisson
from cases.gaussian import gaussian_of_all, scipy_gaussian
from em_cli.engine.arrays import Array
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.product import Product


def scipy_product(family: Any, document: Document, x: Array) -> Array:
    by_family = {BoundGaussian: scipy_gaussian, Columnwise: scipy_poisson}
    parts = zip(family.families, family.columns_of, document["groups"], strict=True)
    return np.sum([by_family[type(part)](part, own, x[columns]) for part, columns, own in parts], axis=0)


def product_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    of_all = {BoundGaussian: gaussian_of_all, Columnwise: poisson_of_all}
    parts = zip(family.families, family.columns_of, strict=True)
    return {"groups": [of_all[type(part)](part, x[columns], weights) for part, columns in parts]}


def product_cases() -> list[Case]:
    def build(kinds: Kinds) -> Product:
        groups = tuple(np.array([j for j, kind in enumerate(kinds) if kind == wanted]) for wanted in ("real", "count"))
        return Product((Gaussian(), Poisson()), groups)

    kinds = ("real", "count", "real", "count")
    return [Case("product", kinds, ("real", "count"), True, build, scipy_product, product_of_all)]
