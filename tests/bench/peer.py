"""scikit-learn's search, and a judge of what anybody found.

A solution is a document: weights, means and covariances in the user's units, shaped as scikit-learn's.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from bench import ROOT
from problems import Array, Document
from sklearn.mixture import GaussianMixture
from support import bound_model

from em_cli.engine.arrays import stack
from em_cli.engine.equal_rows import multiplicity
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.errors import DataError
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

STORE = ROOT / ".bench"  # of figures that are costly to get
ENOUGH = 10_000  # iterations


class Judge:
    """Says what a solution is worth: its log-likelihood, or nothing if a component is degenerate.

    The rule is the one by which the reference optima were judged, in distinct rows.
    """

    def __init__(self, x: Array, k: int, covariance: str) -> None:
        self.source = InMemory(x)
        self.model = bound_model(Gaussian(covariance), self.source, k)
        copies = multiplicity(self.source)
        self.distinct = self.source if copies is None else InMemory(x, 1 / copies)

    def __call__(self, document: Document | None) -> float:
        if document is None:
            return -np.inf
        try:
            parameters = self.model.from_document(document)
        except DataError:  # a weight of zero, or a covariance that is not one
            return -np.inf
        group = Stack(self.model, stack([parameters]))
        height = float(one_pass([group], self.source, Serial())[0].log_likelihood[0])
        support = one_pass([group], self.distinct, Serial())[0].statistics.weight[0]
        return -np.inf if any(self.model.family.degenerate(parameters.components, support)) else height


def scikit_learn(x: Array, k: int, covariance: str, seed: int, **options: Any) -> Document | None:
    """Its fit of the standardised columns (D, n), in the user's units; None if it gave up or did not converge."""
    location, scale = x.mean(axis=1), x.std(axis=1)
    if covariance == "spherical":  # only a common unit keeps a sphere a sphere
        scale = np.full_like(scale, np.sqrt(np.mean(scale**2)))
    rows = np.ascontiguousarray(((x - location[:, None]) / scale[:, None]).T)
    mixture = GaussianMixture(k, covariance_type=covariance, max_iter=ENOUGH, random_state=seed, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mixture.fit(rows)
        except ValueError:  # a covariance has collapsed
            return None
    if not mixture.converged_:
        return None
    units = {
        "full": np.outer(scale, scale),
        "tied": np.outer(scale, scale),
        "diag": scale**2,
        "spherical": scale[0] ** 2,
    }
    return {
        "weights": mixture.weights_ / mixture.weights_.sum(),
        "means": mixture.means_ * scale + location,
        "covariances": mixture.covariances_ * units[covariance],
    }
