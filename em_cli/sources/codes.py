"""Columns of codes: whole numbers of one length, some of which are written with leading zeros, such as 01234."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from em_cli.sources.column_facts import Parts
from em_cli.sources.examined import Examined
from em_cli.sources.identifiers import identifies
from em_cli.sources.number_formats import written
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.store import instead

LONGEST = 15  # digits that a float holds


def length_of_codes(leading_zeros: Counter[int], name: str, parts: Parts) -> int | None:
    """How many digits every cell has; None if they differ. `leading_zeros` counts cells by length."""
    if len(leading_zeros) != 1:
        return None
    ((length, times),) = leading_zeros.items()
    values = [part.values for part in parts[name]]
    shorter = sum(int(np.count_nonzero(x < 10 ** (length - 1))) for x in values)
    fits = all(bool(((x >= 0) & (x < 10**length) & (x == np.floor(x)) | np.isnan(x)).all()) for x in values)
    return length if fits and shorter == times and length <= LONGEST else None


def take_codes(parts: Parts, leading_zeros: Mapping[str, Counter[int]], options: ReadOptions) -> dict[str, int]:
    """Have the cells of codes stand as they are written, unless they number the rows; the columns, and their digits."""
    found = dict[str, int]()
    for name, counted in leading_zeros.items():
        length = length_of_codes(counted, name, parts)
        asked = options.type_of(name) != "auto" or name in options.regressors or name == options.response
        if length is not None and not asked and not identifies(name, parts):
            found[name] = length
            parts[name] = [as_codes(part, length) for part in parts[name]]
    return found


def as_codes(part: Examined, length: int = 0) -> Examined:
    """The same piece with its numbers as texts, of so many digits at least."""
    values = part.values
    distinct, places = np.unique(values[~np.isnan(values)], return_inverse=True)
    placed = np.full(len(values), np.nan)
    placed[~np.isnan(values)] = places
    texts = tuple(written(value).zfill(length) for value in distinct.tolist())
    return replace(part, held=instead(part.held, placed), texts=texts, n_text=len(places))
