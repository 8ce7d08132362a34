"""What captions say."""

from __future__ import annotations

from collections.abc import Sequence

from em_cli.reports.extents import skewed
from em_cli.reports.finished_run import FinishedRun, Rows
from em_cli.reports.style import short
from em_cli.sources.quoting import plural


def which_rows(run: FinishedRun, n_shown: int | None = None) -> str:
    """How many rows are shown of how many: a sentence where these are not all, else nothing."""
    rows: Rows = run.shown
    n = rows.n if n_shown is None else n_shown
    return f"A random sample of {n:,} of {rows.n_fitted:,} rows is shown." if n < rows.n_fitted else ""


def remark(run: FinishedRun, n_shown: int | None = None) -> str:
    """The same, to be written in a corner."""
    n = run.shown.n if n_shown is None else n_shown
    return f"{n:,} of {run.shown.n_fitted:,} rows" if n < run.shown.n_fitted else ""


def most_telling(n_chosen: int, n_columns: int) -> str:
    return f"These {n_chosen} of {n_columns} columns tell most of the component." if n_chosen < n_columns else ""


def on_logarithms(run: FinishedRun, places: Sequence[int], said: str) -> str:
    """What is so along a logarithmic axis, if any of the columns has one."""
    return f"On a logarithmic axis the {said}." if any(skewed(run, place) for place in places) else ""


def title_of(run: FinishedRun, subject: str) -> str:
    return f"{short(run.data_name, 40)}: {subject}"


def components(run: FinishedRun) -> str:
    return " and ".join([plural(run.k, "component"), *run.extra])


def sentences(*parts: str) -> str:
    return " ".join(filter(None, parts))
