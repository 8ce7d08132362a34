"""Tail probabilities that keep their digits however small they are, and are never none."""

from __future__ import annotations

import sys
from math import erfc, sqrt

LEAST = sys.float_info.min


def below(z: float) -> float:
    """That a standard normal number is at most z."""
    return max(LEAST, 0.5 * erfc(-z / sqrt(2)))


def above(statistic: float, df: float) -> float:
    """That a chi-squared number of so many degrees of freedom is no less."""
    from scipy.special import chdtrc

    return max(LEAST, float(chdtrc(df, statistic)))
