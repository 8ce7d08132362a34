"""What a command says on standard output, and the status with which it ends."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from em_cli import memory
from em_cli.errors import ExitStatus
from em_cli.options import ReportOptions, ScreenOptions
from em_cli.runs.configure import effort_of
from em_cli.runs.deliver import least_certain
from em_cli.runs.plan import memory_for
from em_cli.runs.record import Record

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.outputs.document import Scored
    from em_cli.outputs.selection import Selection
    from em_cli.runs.interruption import Interruption
    from em_cli.search.search import Plan, Task
    from em_cli.sources.table import Data


LOOKED_THROUGH = 100_000  # rows, for the least certain of them


def read_line(data: Data) -> str:
    """What was read, in a sentence."""
    from em_cli.sources.quoting import listed, plain

    rows, names = data.n_rows_read, data.schema.names
    kinds = {kind: len(data.schema.indices(kind)) for kind in dict.fromkeys(c.type for c in data.schema.columns)}
    *most, last = [f"{n} {kind}" for kind, n in kinds.items()]
    columns = f"{', '.join(most)} and {last}" if most else last
    gone = rows - len(data.rows) - len(data.others.rows)
    parts = [f"{data.name}: {rows:,} rows × {columns} column{'s' if len(names) != 1 else ''}"]
    parts += [f"{gone:,} rows with missing cells left out"] if gone else []
    parts += [f"{sum(data.n_missing.values()):,} missing cells"] if data.n_missing and not gone else []
    parts += [f"{len(data.others.rows):,} rows without weight or cells not fitted"] if len(data.others.rows) else []
    if data.source.weights is not None:
        parts.append(f"weights by {plain(str(data.weights_name))}, {data.source.weights.sum():,.6g} in all")
    taken: dict[str, list[str]] = {}
    for column in data.schema.columns:
        if column.name in data.why:
            taken.setdefault(f"{column.type} ({data.why[column.name]})", []).append(column.name)
    parts += [f"{listed(of_kind)} taken as {kind}" for kind, of_kind in taken.items()]
    return "; ".join(parts)


def plan_text(config: RunConfig, data: Data, tasks: Sequence[Task], plan: Plan, folder: str | None) -> str:
    """What a run would do, for `--dry-run`."""
    from em_cli.config.durations import duration_text
    from em_cli.config.files import record
    from em_cli.display.text import counted

    effort = effort_of(config)
    how = f"a search of {effort} effort" if effort else counted(plan.restarts or 0, "climb")
    lines = [f"would fit {read_line(data)}"]
    lines += [
        f"  {task.label or 'components'}, k = {task.model.n_components}, {task.model.n_parameters} parameters: "
        + ("a climb from the start given" if task.start else how)
        for task in tasks
    ]
    if config.search.time_limit is not None:
        lines.append(f"would stop searching after {duration_text(config.search.time_limit)}, with the best so far")
    there = memory.available()
    beside = "" if there is None else f"; {memory.size(there)} are available"
    lines.append(f"would take about {memory.size(memory_for(config, data, tasks, plan))} of memory in all{beside}")
    lines += [f"would write {folder}/" if folder else "would write no folder", "", record(config)]
    return "\n".join(lines)


def say_fit(
    shown: str,
    params: Mapping[str, Any],
    result: Scored,
    data: Data,
    folder: str | None,
    written: Sequence[str],
    screen: ScreenOptions,
) -> None:
    """The result on standard output."""
    from em_cli.outputs.folder import write_file

    if shown == "json":
        from em_cli.outputs.manifest import to_json

        write_file("-", [to_json(params)])
    elif shown == "human":
        from em_cli.display.summary import fit_summary

        text = fit_summary(
            dict(params) | {"warnings": _unsaid(params, screen)},
            read_line=read_line(data),
            written=written,
            folder=folder,
            width=width(),
            color=color_wanted(screen),
            suggestions=[f"em select {shlex.join(f.name for f in data.inputs)} --k-range 1-10"] if folder else [],
            least_certain=least_certain(result, data) if data.source.n_rows <= LOOKED_THROUGH else None,
        )
        write_file("-", [text])


def _unsaid(params: Mapping[str, Any], screen: ScreenOptions) -> list[Any]:
    """The warnings that the same screen has not shown already."""
    return [] if sys.stderr.isatty() and not screen.quiet and screen.progress != "none" else params["warnings"]


def say_selection(
    shown: str,
    selection: Selection,
    params: Mapping[str, Any],
    data: Data,
    folder: str | None,
    written: Sequence[str],
    screen: ScreenOptions,
) -> None:
    """The table of a sweep on standard output; as JSON, the document of the model chosen with the table in it."""
    from em_cli.outputs.folder import write_file

    if shown == "json":
        from em_cli.outputs.manifest import to_json

        rows = [{key: _strict(value) for key, value in row.items()} for row in selection.rows]
        write_file("-", [to_json(dict(params) | {"criterion": selection.criterion, "selection": rows})])
    elif shown == "csv":
        from em_cli.outputs.selection import selection_text

        write_file("-", selection_text(selection))
    elif shown == "human":
        from em_cli.display.summary import selection_summary

        text = selection_summary(
            selection.rows,
            selection.chosen_row,
            selection.criterion,
            read_line=read_line(data),
            warnings=_unsaid(params, screen),
            written=written,
            folder=folder,
            width=width(),
            color=color_wanted(screen),
            effort=params["search"]["effort"],
        )
        write_file("-", [text])


def _strict(value: Any) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value


def color_wanted(screen: ScreenOptions) -> bool:
    """Whether the summary on stdout may be coloured."""
    if screen.color == "auto":
        return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    return screen.color == "always"


def width() -> int:
    return max(60, min(shutil.get_terminal_size((80, 24)).columns, 120))


def finish(record: Record, report: ReportOptions, interruption: Interruption) -> None:
    """End with the status that the run deserves."""
    if interruption():
        raise SystemExit(interruption.status)
    if report.strict and record.doubtful:
        raise SystemExit(ExitStatus.DOUBTFUL)
