"""A response given regressors, with coefficients in each component (DeSarbo & Cron 1988; Wedel & DeSarbo 1995)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import BoundFamily
from em_cli.engine.rows import Source
from em_cli.errors import UsageError
from em_cli.families.distributions.binomial import MOST_TRIALS
from em_cli.families.regression.generalized import BoundGeneralized
from em_cli.families.regression.linear import BoundLinear, LinearParameters
from em_cli.families.regression.overall import LOOKS, frame_of
from em_cli.families.regression.regressors import Frame, Regressors, Roles, frame_by_columns, plain_frame
from em_cli.families.regression.responses import RESPONSES
from em_cli.families.regression.terms import Design, design_of

Bound = BoundLinear | BoundGeneralized
LAWS = ("gaussian", *RESPONSES)


@dataclass(frozen=True, slots=True)
class Regression:
    """A response given regressors, which are themselves not described; --response and --on say which."""

    describes: ClassVar[str] = "any"
    title: ClassVar[str] = "mixture of regressions"
    comparable: ClassVar[bool] = False
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = ()  # coefficients are of terms

    response: str = ""  # the column that is described
    law: str = "gaussian"  # of the response
    on: Sequence[str] = ()  # terms
    common: Sequence[str] = ()  # terms whose coefficients are the same in all components
    offset: str | None = None  # a column that is added to the predictor
    trials: int | str | None = None  # of a binomial response: a number, or their column
    names: tuple[str, ...] = ()  # of the columns
    level_names: tuple[tuple[str, ...], ...] = ()  # of each column, none where it holds numbers
    frame: Frame | None = None  # found from the rows

    def __post_init__(self) -> None:
        if (self.law == "binomial") != (self.trials is not None):
            raise UsageError(
                "a binomial response needs its trials, and no other has any: --type y=binomial:12, or a column of "
                "trials, as in --type y=binomial:games."
            )
        for said, name in (("--response", self.response), ("--offset", self.offset), ("trials", self.trials)):
            if isinstance(name, str) and self.names and name not in self.names:
                raise UsageError(f"{said}: there is no column {name!r} among those of the model.")

    @property
    def design(self) -> Design:
        return design_of(self.on, self.common, self.names, self.level_names or ((),) * len(self.names))

    @property
    def roles(self) -> Roles:
        def place(name: str | int | None) -> int | None:
            return self.names.index(name) if isinstance(name, str) else None

        n_trials = float(self.trials) if isinstance(self.trials, int) else 1.0
        return Roles(self.names.index(self.response), place(self.offset), place(self.trials), n_trials)

    @property
    def support(self) -> None:
        """Cells are checked by what they are to the regression."""
        return None

    def bind(self, columns: Columns) -> Bound:
        design = self.design
        frame = self.frame or frame_by_columns(design, self.roles, columns)
        return self._bound(Regressors(design, self.roles, frame, columns))

    def _bound(self, own: Regressors) -> Bound:
        return BoundLinear(own) if self.law == "gaussian" else BoundGeneralized(own, RESPONSES[self.law])

    def surveyed(self, source: Source, places: Sequence[int], columns: Columns) -> Regression:
        """The same with what it must know of all rows, whose columns are at these places."""
        design, roles = self.design, self.roles
        plain = Regressors(design, roles, plain_frame(len(design.names)), columns)
        frame = frame_of(plain, list(places), source)
        family = self._bound(Regressors(design, roles, frame, columns))
        overall, spread = _fitted_as_one(family, source, places)
        return replace(self, frame=replace(frame, overall=overall, spread=spread))


def _fitted_as_one(family: BoundFamily, source: Source, places: Sequence[int]) -> tuple[Array, float]:
    """Coefficients (p,) of the one regression of all rows, and the standard deviation of normal errors."""
    at: Any = None
    for _ in range(1 if isinstance(family, BoundLinear) else LOOKS):
        total = np.zeros(())
        for index in range(len(source)):
            block = source[index]
            features = np.empty((family.n_features(), block.n_rows))
            family.features(block.x[list(places)], features)
            weights = np.ones(block.n_rows) if block.weights is None else block.weights
            total = total + family.statistics(features, weights[None, None], at)
        at = family.maximize(total, at)
    spread = float((at.sigma if isinstance(at, LinearParameters) else at.dispersion)[0, 0])
    return at.coefficients[0, 0], spread


def check_options(options: Mapping[str, object]) -> None:
    """`UsageError` if a regression cannot have these options, which a document may have been given by anyone."""
    for name, value in options.items():
        words = isinstance(value, list | tuple) and all(isinstance(word, str) for word in value)
        whole = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_TRIALS
        right = {
            "response": isinstance(value, str),
            "law": value in LAWS,
            "on": words,
            "common": words,
            "offset": isinstance(value, str),
            "trials": isinstance(value, str) or whole,
        }
        if not right.get(name, False):
            raise UsageError(f"a regression cannot have {name} = {value!r}.")
    if "response" not in options:
        raise UsageError("a regression needs a response.")
