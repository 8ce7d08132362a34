"""Model-based agglomeration of equal spheres (Ward 1963; Fraley 1998), as mclust begins with EII.

Of the merges that there are, the one comes first that costs the least classification likelihood. Where rows are many, a
sample of them is merged, and the others go to the nearest mean; the second start and those that follow are each of
another three quarters of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Annotated

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.parts import Option
from em_cli.starts.kmeans import nearest, weighed

SHARE = 0.75  # of the rows, of every start but the first


@dataclass(frozen=True, slots=True)
class Hierarchical:
    rows: Annotated[int, Option("that are merged, at most", least=2, most=20_000)] = 2000

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        n, rng = embedding.shape[1], np.random.default_rng(seed)
        scaled = weighed(embedding, seed, weights)
        many = min(self.rows, n if seed[-1] == 0 else ceil(SHARE * n))
        if weights is not None:
            many = min(many, int(np.count_nonzero(weights)))
        some = np.sort(rng.choice(n, many, replace=False, p=None if weights is None else weights / weights.sum()))
        own = _merged(scaled[:, some], n_components)
        sums = np.stack([np.bincount(own, row, n_components) for row in scaled[:, some]])
        counts = np.bincount(own, minlength=n_components)
        labels = nearest(scaled, np.where(counts > 0, sums / np.maximum(counts, 1), np.inf))
        labels[some] = own
        return labels


def _merged(points: Array, k: int) -> Integers:
    """The partition (m,) of points (E, m) into so many parts."""
    m = points.shape[1]
    if m <= k:
        return np.arange(m)
    if k == 1:
        return np.zeros(m, np.intp)
    from scipy.cluster.hierarchy import cut_tree, linkage

    parts: Integers = cut_tree(linkage(points.T, "ward"), n_clusters=[k])[:, 0].astype(np.intp)
    return parts
