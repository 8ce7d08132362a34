"""Whether copies of an allele are spread as two alleles that are drawn at random (Hardy 1908; Weinberg 1908)."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array


def expected_mixed(copies: Array) -> float:
    """How many hold one copy of each allele in the mean, given how many hold 0, 1 and 2 (3,)."""
    n, counted = float(copies.sum()), float(copies[1] + 2 * copies[2])
    return counted * (2 * n - counted) / (2 * n - 1)


def exact_p(copies: Array) -> float:
    """Of the exact test, given how many hold 0, 1 and 2 copies (3,): Wigginton, Cutler & Abecasis (2005)."""
    from scipy.special import gammaln

    whole = np.rint(copies)
    n, counted = float(whole.sum()), float(whole[1] + 2 * whole[2])
    rare = min(counted, 2 * n - counted)
    mixed = np.arange(rare % 2, rare + 1, 2)
    each = np.stack([(rare - mixed) / 2, mixed, n - (rare + mixed) / 2])
    logs = mixed * np.log(2) - np.add.reduce(gammaln(each + 1))
    law = np.exp(logs - logs.max())
    here = law[mixed == whole[1]].sum()
    return float(law[law <= here * (1 + 1e-9)].sum() / law.sum())
