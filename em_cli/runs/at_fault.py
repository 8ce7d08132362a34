"""What in the data makes components collapse: the columns, and the cells in them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from em_cli.engine.column_summary import summarize
from em_cli.engine.columns import WIDE
from em_cli.search.ledger import Fitted, first_reason
from em_cli.sources.quoting import excluding, listed, plural
from em_cli.sources.table import Data

CROWDED = 0.2  # of the rows; one value borne by so many is named
COPIES = 0.99  # correlation of columns that are nearly copies
NEARLY = 0.9999  # of a variance, that other columns tell
RARE = 0.1  # of the rows; columns seen together in fewer hardly tell how they go together
NAMED = 2


@dataclass(frozen=True, slots=True)
class AtFault:
    """In words, and the columns."""

    words: str
    names: tuple[str, ...]

    @property
    def remedy(self) -> str:
        """The option that leaves out the first of the columns."""
        return excluding(self.names[:1])


def of_columns(data: Data, places: tuple[int, ...]) -> AtFault | None:
    """What is the matter with the columns along which a component has no width; None if nothing is known of them."""
    if not places:
        return None
    columns, names = summarize(data.source), data.schema.names
    crowded = [j for j in places if columns.commonest_share[j] >= CROWDED][:NAMED]
    if crowded:
        said = [
            f"{listed([names[j]])} is {columns.commonest[j]:.10g} in {columns.commonest_share[j]:.0%} of the rows"
            for j in crowded
        ]
        return AtFault(" and ".join(said), tuple(names[j] for j in crowded))
    own = tuple(names[j] for j in places)
    if (together := _rarely_together(data)) is not None:
        return AtFault(f"{listed([names[j] for j in together[0]])} are both seen in {plural(together[1], 'row')}", own)
    if len(places) == NAMED:
        covariance = columns.joint.select(np.array(places)).covariance
        correlation = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
        if abs(correlation) > COPIES:
            return AtFault(
                f"{listed(own)} are nearly copies of each other, their correlation is {correlation:.6g}", own
            )
    if told := _nearly_told(data, places):
        names_told = tuple(names[j] for j in told)
        words = f"the other columns of numbers tell all but {1 - NEARLY:.2%} of the variance of {listed(names_told)}"
        return AtFault(words, names_told)
    return AtFault(f"along {listed(own)}", own) if len(places) <= NAMED else None


def _nearly_told(data: Data, places: tuple[int, ...]) -> list[int]:
    """Those of the columns that are nearly linear functions of all others of numbers."""
    numeric = [j for j, column in enumerate(data.schema.columns) if column.type == "numeric"]
    if not NAMED < len(numeric) <= WIDE or not set(places) <= set(numeric):
        return []
    covariance = summarize(data.source).joint.select(np.array(numeric)).covariance
    sd = np.sqrt(np.diag(covariance))
    if not (sd > 0).all():
        return []
    left = 1 / np.diag(np.linalg.pinv(covariance / np.outer(sd, sd), hermitian=True))
    return [j for j in places if left[numeric.index(j)] < 1 - NEARLY]


def _rarely_together(data: Data) -> tuple[tuple[int, int], int] | None:
    """The two columns whose cells are seen together in the fewest rows, and how many; None if these are enough."""
    d = data.source.n_columns
    both = np.zeros((d, d))
    for block in (data.source[index] for index in range(len(data.source))):
        seen = (~np.isnan(block.x)).astype(float)
        both += seen @ seen.T
    i, j = np.unravel_index(np.argmin(both), both.shape)
    rows = int(both[i, j])
    return ((int(i), int(j)), rows) if i != j and rows < RARE * data.source.n_rows else None


def of_search(data: Data, fitted: Fitted) -> AtFault | None:
    """What most of the starts collapsed along."""
    found = Counter(entry.collapse.columns for entry in fitted.ledger if entry.collapse and entry.collapse.columns)
    return of_columns(data, found.most_common(1)[0][0]) if found else None


def collapsed(data: Data, fitted: Fitted) -> str:
    """That every start collapsed, why, and along what."""
    if not fitted.ledger:
        return f"too few rows for k = {fitted.n_components} ({fitted.failure})"
    starts, at_fault = len(fitted.started), of_search(data, fitted)
    along = f": {at_fault.words}" if at_fault else ""
    whole = "the start" if starts == 1 else f"every one of {starts} starts"
    return f"{whole} collapsed ({first_reason(fitted.ledger)}{along})"
