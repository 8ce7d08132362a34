"""Times of rows, as numbers or dates, and the steps that lead from one to the next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import DataError, UsageError
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import quoted

SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400, "w": 604_800}
MONTHS = {"mo": 1, "q": 3, "y": 12}
FORMS = "a number, or for dates 30s, 15min, 1h, 1d, 1w, 1mo, 1q or 1y"
CLOSE = 1e-6  # share of a step by which numbers may miss it


@dataclass(frozen=True, slots=True)
class Step:
    """From one row to the next."""

    text: str
    count: float
    unit: str  # "" of numbers


def parse_step(text: str) -> Step:
    """`UsageError` for what is no step."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([a-z]*)", text.strip().lower())
    unit = match[2] if match else ""
    if not match or float(match[1]) <= 0 or unit not in ("", *SECONDS, *MONTHS):
        raise UsageError(f"--step {text!r} is no step in time: write {FORMS}.")
    if unit in MONTHS and not float(match[1]).is_integer():
        raise UsageError(f"--step {text!r}: months, quarters and years are counted by whole numbers.")
    return Step(text.strip(), float(match[1]), unit)


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Those of all rows."""

    texts: Sequence[str]
    values: Array | Integers  # (n,) numbers, or dates in microseconds
    dates: bool

    def ticks(self, first: Integers, step: Step, column: str, shown: str) -> Integers:
        """(n,) how many steps each row is from the `first` (n,) of its sequence; `DataError` where they do not fit."""
        if self.dates != bool(step.unit):
            holds = "dates: give its unit, as in --step 1d" if self.dates else "numbers: give one, as in --step 1"
            raise UsageError(f"--step {step.text} does not go with column {quoted(column)}, which holds {holds}.")
        if step.unit in MONTHS:
            from pandas import DatetimeIndex

            moments = DatetimeIndex(self.values.astype("datetime64[us]"))
            units: Array = np.asarray(moments.year * 12 + moments.month, np.float64)
            size = step.count * MONTHS[step.unit]
        else:
            units, size = self.values.astype(np.float64), step.count * (SECONDS[step.unit] * 1e6 if step.unit else 1.0)
        exact = (units - units[first]) / size
        ticks = np.round(exact)
        astray = np.abs(exact - ticks) > CLOSE * np.maximum(1.0, np.abs(ticks)) if not self.dates else exact != ticks
        if astray.any():
            row = int(np.argmax(astray))
            raise DataError(
                f"{shown}, row {row + 1}, column {quoted(column)}: {quoted(self.texts[row])} is not a whole number of "
                f"steps of {step.text} from {quoted(self.texts[int(first[row])])}, where its sequence begins. "
                "Use a smaller --step, or none: then rows follow each other as they are."
            )
        return ticks.astype(np.intp)


def times_of(texts: Sequence[str], column: str, shown: str, decimal: str = ".") -> Times:
    """Numbers, or dates as ISO 8601 writes them; `DataError` names the first cell that is neither."""
    from pandas import Series, to_datetime

    values = [number(text, decimal) for text in texts]
    numbers = [value for value in values if value is not None]
    if len(numbers) == len(values):
        return Times(texts, np.array(numbers), False)
    moments = to_datetime(Series(list(texts), dtype=object), format="ISO8601", errors="coerce", utc=True)
    absent = moments.isna().to_numpy()
    if numbers and absent.any():
        absent = np.array([value is None for value in values])
    if absent.any():
        row = int(np.argmax(absent))
        held = f"{quoted(texts[row])} is" if texts[row] else "the cell is empty, and"
        raise DataError(
            f"{shown}, row {row + 1}, column {quoted(column)}: {held} no time; "
            "--order needs numbers, or dates such as 2024-03-31 or 2024-03-31 14:30."
        )
    return Times(texts, moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64), True)
