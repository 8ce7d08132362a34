"""What cross-validation says in the table of a sweep, and which model it chooses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from em_cli.search.ledger import Fitted

if TYPE_CHECKING:
    from em_cli.inference.cross_validation import Predicted


@dataclass(frozen=True, slots=True, eq=False)
class CrossValidation:
    """The densities of rows left out, of the fits that there are."""

    predicted: Predicted
    places: Mapping[int, int]  # of the fits among those that predict, by identity

    def of(self, fitted: Fitted) -> float:
        """Log predictive density in all."""
        return float(self.predicted.per_row[self.places[id(fitted)]]) * self.predicted.n_rows

    def choice(self, ranked: Sequence[Fitted], rows: Sequence[dict[str, Any]]) -> int:
        """The place of the chosen one among those that are ranked, into whose rows it is written how they compare."""
        from em_cli.inference.cross_validation import simplest

        own = [self.places[id(fitted)] for fitted in ranked]
        best, chosen = simplest(self.predicted.only(own), [row["n_parameters"] for row in rows])
        gaps, errors = self.predicted.gaps(own[best])
        densities, spreads = self.predicted.per_row, self.predicted.standard_errors
        for place, row in zip(own, rows, strict=True):
            row["cv_per_row"], row["cv_se"] = float(densities[place]), float(spreads[place])
            row["cv_gap"], row["cv_gap_se"] = float(gaps[place]), float(errors[place])
        return chosen
