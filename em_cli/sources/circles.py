"""Columns that may go round, by their names: the highest direction, hour or month is next to the lowest."""

from __future__ import annotations

import re

_PERIODS = {
    360: re.compile(r"dir|direction|degrees?|angle|bearing|heading|azimuth|aspect", re.IGNORECASE),
    24: re.compile(r"hour|hr", re.IGNORECASE),
    12: re.compile(r"month|mon|mth", re.IGNORECASE),
    7: re.compile(r"weekday|wday|dow", re.IGNORECASE),
    366: re.compile(r"doy|yday|dayofyear", re.IGNORECASE),
}
_BETWEEN_WORDS = re.compile(r"[\W_]+|(?<=[a-z])(?=[A-Z])")


def period_of(name: str, lowest: float, highest: float) -> int | None:
    """After what a column with this name and these extremes may go round; None if it does not."""
    words = _BETWEEN_WORDS.split(name.strip())
    for period, form in _PERIODS.items():
        if lowest >= 0 and period / 2 < highest <= period and any(map(form.fullmatch, words)):
            return period
    return None
