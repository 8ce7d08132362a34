"""Densities with ellipsoids for contours: Gaussian, Student t, factor analysers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from em_cli.engine.family import Ellipsoids
from em_cli.exports.closed_forms import Terms
from em_cli.exports.formula import Formula, choose, known, ln, looked_up, missing, name, number, square, total

LOG_2PI = math.log(2 * math.pi)
Steps = list[dict[str, Formula]]  # names and what they stand for; each step may use those before it


def elliptic(found: Ellipsoids, cells: Sequence[Formula], places: Sequence[int]) -> tuple[Steps, Terms]:
    """Steps, and the log-density of the cells of columns at these places."""
    steps: Steps = []
    densities = []
    seen = total(choose(missing(x), 0.0, 1.0) for x in cells)
    for k in range(len(found.locations)):
        centred = [known([x], x - float(m)) for x, m in zip(cells, found.locations[k], strict=True)]
        if found.scales.ndim == 2 or len(cells) == 1:
            variances = [float(v) for v in found.variances[k]]
            distance = total(square(r) / v for r, v in zip(centred, variances, strict=True))
            log_determinant = total(known([x], math.log(v)) for x, v in zip(cells, variances, strict=True))
        else:
            own, distance, log_determinant = _eliminated(centred, cells, found.scales[k].tolist(), k + 1, places)
            steps = side_by_side(steps, own)
        dof = None if found.dof is None else float(found.dof[k])
        densities.append(_density(seen, len(cells), distance, log_determinant, dof))
    common = number(0.0) if found.dof is not None else seen * (-0.5 * LOG_2PI)
    return steps, Terms(common, tuple(densities))


def _eliminated(
    centred: Sequence[Formula],
    cells: Sequence[Formula],
    scale: Sequence[Sequence[float]],
    component: int,
    places: Sequence[int],
) -> tuple[Steps, Formula, Formula]:
    """Gauss's elimination of the matrix of the observed cells, a missing one having a row of the identity.

    Pivots d_j, columns u_ij and residuals z_j, one step for each column j.
    """
    size = len(cells)
    steps: Steps = []

    def u(i: int, j: int) -> Formula:
        return name(f"u{component}_{places[i] + 1}_{places[j] + 1}")

    def z(j: int) -> Formula:
        return name(f"z{component}_{places[j] + 1}")

    for j in range(size):
        step = {}
        for i in range(j, size):
            entry = known([cells[i], cells[j]], scale[i][j]) if i > j else choose(missing(cells[j]), 1.0, scale[j][j])
            step[str(u(i, j).parts[0])] = entry - total(u(i, m) * u(j, m) / u(m, m) for m in range(j))
        step[str(z(j).parts[0])] = centred[j] - total(u(j, m) * z(m) / u(m, m) for m in range(j))
        steps.append(step)
    distance = total(square(z(j)) / u(j, j) for j in range(size))
    return steps, distance, total(ln(u(j, j)) for j in range(size))


def _density(seen: Formula, size: int, distance: Formula, log_determinant: Formula, dof: float | None) -> Formula:
    """Of so many cells that are seen, of all; what Gaussian components have in common is left out."""
    if dof is None:
        return -0.5 * (distance + log_determinant)
    levels = [
        math.lgamma((dof + p) / 2) - math.lgamma(dof / 2) - p / 2 * math.log(dof * math.pi) for p in range(size + 1)
    ]
    tail = (seen + dof) * 0.5 * ln(1.0 + distance / dof)
    return looked_up(seen, levels) - 0.5 * log_determinant - tail


def side_by_side(one: Steps, other: Steps) -> Steps:
    """Steps that know nothing of each other, taken together."""
    length = max(len(one), len(other))
    padded = [steps + [{} for _ in range(length - len(steps))] for steps in (one, other)]
    return [left | right for left, right in zip(*padded, strict=True)]
