"""Which covariance structures are fitted by default where rows are few for a matrix of each component."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.config.prior_config import PriorConfig
from em_cli.engine.column_summary import summarize
from em_cli.engine.columns import WIDE
from em_cli.models.variants import Variant
from em_cli.runs.configure import Settings
from em_cli.sources.quoting import plural
from em_cli.sources.table import Data

COLUMNS = 5  # fewer have matrices of few entries, and nothing is changed for them
TIMES = 2  # as many rows as full matrices need; below that they follow single rows


def simpler_structures(settings: Settings, data: Data, tried: Sequence[Variant]) -> tuple[tuple[str, ...], str]:
    """The structures where rows are too few for the full covariances that nobody has asked for, and what to say of it.

    None where they are enough, or something else than the rows tells of covariances. A sweep compares them all.
    """
    config, compares = settings.config, settings.request.compares
    told = config.prior != PriorConfig() or settings.start is not None or settings.previous is not None
    if config.covariance or config.inference != "ml" or told or data.sequences is not None or settings.endless:
        return (), ""
    groups = [group.columns for one in tried for group in one.groups if group.has_covariance]
    columns, n, least = max(groups, key=len, default=()), data.source.n_rows, min(settings.ks)
    k = max(least, min(2, max(settings.ks))) if compares else least
    needed = k * (len(columns) + 1)
    if len(columns) < COLUMNS or n >= (needed if k == 1 else TIMES * needed):
        return (), ""
    each = "" if k == 1 else f" in each of {k} components"
    twice = "" if k == 1 else ", twice as many to shape them"
    few = f"{plural(n, 'row')} are few for a full covariance matrix of {len(columns)} columns{each} ({needed:,} are "
    few += f"needed at the very least{twice}): "
    if compares:
        return ("full", "tied", "diag"), f"{few}simpler structures are compared too (--covariance full,tied,diag)"
    if _vary_together(data, columns, k):
        how = "columns vary together in all rows, and one matrix is fitted for all components (--covariance tied); "
        return ("tied",), f"{few}{how}--covariance diag takes columns as independent, full fits one for each"
    how = "columns are taken as independent within a component (--covariance diag); "
    return ("diag",), f"{few}{how}--covariance tied fits one matrix for all components, full one for each"


def _vary_together(data: Data, columns: Sequence[int], k: int) -> bool:
    """Whether BIC prefers one component with a full covariance matrix to one with none, and rows are enough for it."""
    d, n = len(columns), data.source.n_rows
    if d > WIDE or n < TIMES * (d + k):
        return False
    covariance = summarize(data.source).joint.select(np.array(columns)).covariance
    sd = np.sqrt(np.diag(covariance))
    sign, log_determinant = np.linalg.slogdet(covariance / np.outer(sd, sd))
    return bool(sign > 0 and -n * log_determinant > d * (d - 1) / 2 * np.log(n))
