"""Rows that are codes, such as terms of documents or haplotypes of genotypes; each component has a law of the codes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.declared_numbers import Quantity


class CodedRows:
    """What bound families of such rows have in common: the first feature is the code, the second is the latent's own.

    Responsibilities carry how often a row counts.
    """

    __slots__ = ()

    exponential = None
    reweighting = None
    penalty = None
    completing = None
    elliptic = None
    quantities: Mapping[str, Quantity] = {}
    coupled = False
    of_points = False

    def n_features(self) -> int:
        return 2

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        """None: what belongs together is a bag of rows in their order."""
        return np.zeros(x.shape[1])

    def embedding(self, x: Array) -> Array:
        return x


def log_density_of(features: Array, by_code: Array, offset: Array, out: Array) -> None:
    """Of the codes, from log-probabilities of all of them (R, K, V)."""
    np.take(by_code, features[0].astype(np.intp), axis=2, out=out, mode="clip")
    out += offset[..., None]


def sums_of(features: Array, responsibilities: Array, n_codes: int) -> Array:
    """(R, K, 1 + V): responsibilities in all and of each code."""
    r, k, _ = responsibilities.shape
    codes = features[0].astype(np.intp)
    found = np.empty((r, k, 1 + n_codes))
    for i, j in np.ndindex(r, k):
        found[i, j, 1:] = np.bincount(codes, responsibilities[i, j], n_codes)
    found[..., 0] = found[..., 1:].sum(axis=-1)
    return found
