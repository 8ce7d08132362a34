"""What stands for the responsibilities in the statistics of an E-step.

By that the variants of EM differ (Celeux & Govaert 1992; Celeux & Diebolt 1985; Ueda & Nakano 1998; Neal & Hinton
1998). The log-likelihood that an E-step tells is that of its parameters, whatever the assignment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.objectives import LOG_LIKELIHOOD


class Assignment(Protocol):
    """A value: E-steps of equal assignment are run together."""

    @property
    def objective(self) -> str:
        """What the M-step of such an E-step does not lower, and climbs go by."""

    @property
    def inverse_temperature(self) -> float:
        """The responsibilities are those of the joint densities to this power."""

    def settle(self, densities: Array, first_row: int) -> None:
        """Overwrite the joint densities (R, L, n) of consecutive rows and all L outcomes by what is left of them.

        They are known up to a factor of each row, and are normalised afterwards.
        """


@dataclass(frozen=True, slots=True)
class Soft:
    """The responsibilities themselves."""

    objective = LOG_LIKELIHOOD
    inverse_temperature = 1.0

    def settle(self, densities: Array, first_row: int) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Hard:
    """Each row belongs to its likeliest outcome; to the first of them, where several are."""

    objective = "classification"  # log-likelihood: that of rows and labels together
    inverse_temperature = 1.0

    def settle(self, densities: Array, first_row: int) -> None:
        _choose(densities, densities.argmax(axis=1))


@dataclass(frozen=True, slots=True)
class Sampled:
    """Each row belongs to an outcome that is drawn by its responsibilities.

    What is drawn depends on the seed and the place of the row among all rows, and on nothing else.
    """

    seed: int
    objective = LOG_LIKELIHOOD  # in the mean
    inverse_temperature = 1.0

    def settle(self, densities: Array, first_row: int) -> None:
        up_to = np.add.accumulate(densities, axis=1)
        drawn = uniform(self.seed, first_row, densities.shape[2]) * up_to[:, -1]
        chosen = np.add.reduce(up_to <= drawn[:, None], axis=1)
        _choose(densities, np.minimum(chosen, densities.shape[1] - 1))


@dataclass(frozen=True, slots=True)
class Tempered:
    """The responsibilities at another temperature: below one they are softer, above it harder."""

    inverse_temperature: float

    @property
    def objective(self) -> str:
        """(1/β) Σ log Σ (π f)^β."""
        return LOG_LIKELIHOOD if self.inverse_temperature == 1.0 else f"tempered by {self.inverse_temperature:.4g}"

    def settle(self, densities: Array, first_row: int) -> None:
        pass


SOFT, HARD = Soft(), Hard()


def _choose(densities: Array, outcome: Array) -> None:
    np.equal(np.arange(densities.shape[1])[:, None], outcome[:, None], out=densities, casting="unsafe")


def uniform(seed: int, first_row: int, n_rows: int) -> Array:
    """(n,) in [0, 1), those of these rows in the stream of the seed (Philox; Salmon et al. 2011)."""
    bits = np.random.Philox(key=seed, counter=first_row // 4)  # four numbers of each count
    raw = bits.random_raw(first_row % 4 + n_rows)[first_row % 4 :]
    numbers: Array = (raw >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return numbers
