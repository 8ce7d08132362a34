"""Which covariance structure is fitted by default where rows are few for a matrix of each component."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.config.prior_config import PriorConfig
from em_cli.models.variants import Variant
from em_cli.runs.configure import Settings
from em_cli.sources.quoting import plural
from em_cli.sources.table import Data

SIMPLER = "diag"
TIMES = 2  # as many rows as full matrices need; below that they follow single rows


def simpler_structure(settings: Settings, data: Data, tried: Sequence[Variant]) -> str:
    """What to say where rows are too few for the full covariances of a fit for which nobody has chosen a structure, and
    a simpler one is taken; nothing where they are enough, or something else than the rows tells of covariances."""
    config, request = settings.config, settings.request
    told = config.prior != PriorConfig() or settings.start is not None or settings.previous is not None
    if config.covariance or config.inference != "ml" or request.compares or told or data.sequences is not None:
        return ""
    widths = [len(group.columns) for one in tried for group in one.groups if group.has_covariance]
    width, n, k = max(widths, default=0), data.source.n_rows, min(settings.ks)
    needed = k * (width + 1)
    if width < 2 or settings.endless or n >= (needed if k == 1 else TIMES * needed):
        return ""
    each = "" if k == 1 else f" in each of {k} components"
    twice = "" if k == 1 else ", twice as many to shape them"
    return (
        f"{plural(n, 'row')} are few for a full covariance matrix of {width} columns{each} ({needed:,} are needed at "
        f"the very least{twice}): columns are taken as independent within a component (--covariance {SIMPLER}); "
        "--covariance tied fits one matrix for all components, --covariance full one for each"
    )
