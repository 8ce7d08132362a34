"""What a regression must know of all rows: where its regressors lie, and whether they can be told apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Source
from em_cli.errors import DataError
from em_cli.families.regression.regressors import Frame, Regressors

TOLD_APART = 1e-9  # share of the variance of a regressor that the others must leave
LOOKS = 25  # steps of iterated least squares
WHOLE = 1e-6  # of a step, that numbers which are whole ones of it may be off


def frame_of(plain: Regressors, places: list[int], source: Source) -> Frame:
    """From three reads of the rows; `DataError` names a regressor that the others tell.

    The columns of the family are at these places of the source; `plain` is in the user's units.
    """

    def rows() -> Iterator[tuple[Array, Array, Array]]:
        """Cells, regressors (p, n) and weights of rows that tell anything."""
        for index in range(len(source)):
            block = source[index]
            x = block.x[places]
            raw = plain.design.of(x)
            seen = plain.observed(x, raw)
            weights = np.ones(int(seen.sum())) if block.weights is None else block.weights[seen]
            yield x[:, seen], raw[:, seen], weights

    total, sums = 0.0, np.zeros(plain.p)
    for _, raw, w in rows():
        total, sums = total + float(w.sum()), sums + raw @ w
    if total <= 0:
        raise DataError("no row has both a response and all of its regressors.")
    mean = sums / total
    scatter = np.zeros((plain.p, plain.p))
    for _, raw, w in rows():
        away = raw - mean[:, None]
        scatter += (away * w) @ away.T
    root = root_of(scatter / total, mean, plain.design.names, "--on")
    return _with_response(plain, rows, mean, root, total)


def root_of(covariance: Array, mean: Array, names: Sequence[str], option: str) -> Array:
    """(p, p) the triangular root, of ones first; `DataError` names the regressor of an option that has none."""
    variances = np.diagonal(covariance).copy()
    root = np.zeros_like(covariance)
    root[0, 0] = 1.0
    for j in range(1, len(names)):
        if variances[j] <= (1e-12 * abs(mean[j])) ** 2:
            raise DataError(
                f"{option}: {names[j]!r} is {mean[j]:.6g} in every row, which the intercept says already: leave it out."
            )
        root[j, 1:j] = np.linalg.solve(root[1:j, 1:j], covariance[1:j, j]) if j > 1 else 0.0
        left = variances[j] - root[j, 1:j] @ root[j, 1:j]
        if left <= TOLD_APART * variances[j]:
            shares = np.linalg.solve(root[1:j, 1:j].T, root[j, 1:j]) * np.sqrt(variances[1:j] / variances[j])
            others = [repr(names[1 + i]) for i in np.flatnonzero(np.abs(shares) > 1e-4).tolist()]
            raise DataError(
                f"{option}: {names[j]!r} follows from {' and '.join(others)} and cannot be told apart from "
                f"{'it' if len(others) == 1 else 'them'}: leave one of them out."
            )
        root[j, j] = np.sqrt(left)
    return root


def _with_response(
    plain: Regressors,
    rows: Callable[[], Iterator[tuple[Array, Array, Array]]],
    mean: Array,
    root: Array,
    total: float,
) -> Frame:
    """The frame, with place and spread of the response and the reach of the regressors."""
    response, offset, trials, reach = 0.0, 0.0, 0.0, 0.0
    for x, raw, w in rows():
        response += float((plain.response(x) - plain.offset(x)) @ w)
        offset += float(plain.offset(x) @ w)
        trials += float(plain.trials(x) @ w)
        z = np.linalg.solve(root[1:, 1:], raw[1:] - mean[1:, None])
        reach = max(reach, float((1 + (z**2).sum(axis=0)).max(initial=0.0)))
    middle, square = response / total, 0.0
    step = float(plain.columns.resolution[plain.roles.response])
    for x, _, w in rows():
        steps = plain.response(x) / max(step, 1e-300)
        step = step if (np.abs(steps - np.rint(steps)) < WHOLE).all() else 0.0
        square += float((plain.response(x) - plain.offset(x) - middle) ** 2 @ w)
    spread = float(np.sqrt(square / total)) or 1.0
    return Frame(mean, root, float(np.sqrt(reach)), (middle, spread), offset / total, trials / total, step)
