"""What a run says on standard output."""

from __future__ import annotations

import os
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from em_cli import memory
from em_cli.config.durations import duration_text, roughly
from em_cli.config.run_config import DataConfig
from em_cli.config.texts import record
from em_cli.display.closing import Beside
from em_cli.display.summary import fit_summary, selection_summary
from em_cli.display.text import counted
from em_cli.documents.found import FoundFields
from em_cli.documents.params_json import Params
from em_cli.errors import OutputError
from em_cli.exports.exportable import targets_of
from em_cli.models.variational import VARIATIONAL
from em_cli.outputs.document import Scored
from em_cli.outputs.manifest import to_json
from em_cli.outputs.run_folder import check_folder
from em_cli.outputs.run_names import free_beside
from em_cli.outputs.selection import Selection, selection_text
from em_cli.printable import safe
from em_cli.runs.configure import Settings
from em_cli.runs.fitted_rows import least_certain
from em_cli.runs.remembered import KEYS, differing, in_options
from em_cli.runs.resume import is_there
from em_cli.runs.run import Run
from em_cli.runs.screen import color_wanted, width
from em_cli.runs.search_plan import memory_for
from em_cli.search.search import Task
from em_cli.sources.quoting import listed
from em_cli.sources.spool import STDIN
from em_cli.sources.table import Data

MOST_SPELT = 5
READING = (
    "columns",
    "exclude",
    "types",
    "transforms",
    "weights",
    "id",
    *KEYS,
    "missing",
    "sequence",
    "order",
    "step",
    "group",
)
LOOKED_THROUGH = 100_000  # rows, for the least certain of them

OUT = ("--out", "-o")
BESIDE = ("--labelled", "--params", "--responsibilities", "--early")  # files that a run writes besides its folder


def read_line(data: Data) -> str:
    """What was read, in a sentence."""
    rows, names = data.n_rows_read, data.schema.names
    kinds = {kind: len(data.schema.indices(kind)) for kind in dict.fromkeys(c.type for c in data.schema.columns)}
    *most, last = [f"{n} {kind}" for kind, n in kinds.items()]
    columns = f"{', '.join(most)} and {last}" if most else last
    gone = rows - len(data.rows) - len(data.others.rows)
    parts = [f"{data.name}: {rows:,} rows × {columns} column{'s' if len(names) != 1 else ''}"]
    parts += [f"{gone:,} rows with missing cells left out"] if gone else []
    parts += [f"{sum(data.n_missing.values()):,} missing cells{_spelled(data)}"] if data.n_missing and not gone else []
    parts += [f"{len(data.others.rows):,} rows without weight or cells not fitted"] if len(data.others.rows) else []
    if data.total_weight is not None:
        parts.append(f"weights by {safe(str(data.weights_name))}, {data.total_weight:,.6g} in all")
    taken: dict[str, list[str]] = {}
    for column in data.schema.columns:
        if column.name in data.why:
            taken.setdefault(f"{column.type} ({data.why[column.name]})", []).append(column.name)
    parts += [f"{listed(of_kind)} taken as {kind}" for kind, of_kind in taken.items()]
    parts += [f"{safe(c.name)} fitted as its {c.transform}" for c in data.schema.columns if c.transform is not None]
    return "; ".join(parts)


def _spelled(data: Data) -> str:
    """What was taken for missing and how often, unless all of it is blank."""
    counts = sum((Counter(own) for own in data.spelled.values()), Counter[str]())
    if not set(counts) - {""}:
        return ""
    shown = [
        f"{times:,} {repr(spelling) if spelling else 'blank'}" for spelling, times in counts.most_common(MOST_SPELT)
    ]
    return f" ({', '.join(shown)}{', …' if len(counts) > MOST_SPELT else ''})"


def plan_text(run: Run, tasks: Sequence[Task], seconds: float) -> str:
    """What a run would do, for `--dry-run`; its searches would take about so many seconds."""
    settings, data, plan = run.settings, run.data, run.plan
    config, effort = settings.config, settings.effort
    how = f"a search of {effort} effort" if effort else counted(plan.restarts or 0, "start")
    lines = [f"would fit {read_line(data)}"]
    lines += [
        f"  {task.label or 'components'}, k = {task.model.n_components}, {task.model.n_parameters} parameters: "
        + ("from the start given" if task.start else how)
        for task in tasks
    ]
    if config.search.time_limit is not None:
        lines.append(f"would stop searching after {duration_text(config.search.time_limit)}, with the best so far")
    there = memory.available()
    beside = "" if there is None else f"; {memory.size(there)} are available"
    lines.append(f"would take about {memory.size(memory_for(config, data, tasks, plan))} of memory in all{beside}")
    lines.append(f"would search for {roughly(seconds)}, more or less, on a machine as busy as this one is now")
    lines += [place_text(settings), "", record(config)]
    return "\n".join(lines)


def place_text(settings: Settings) -> str:
    """Where the results would be written, or why they could not be."""
    folder, report = settings.folder, settings.request.report
    if folder is None:
        return "would write no folder"
    try:
        if is_there(settings):
            return f"would show {safe(folder)} again, which is this run already"
        check_folder(folder, report.force, report.resume)
    except OutputError as error:
        return f"would be refused: {safe(str(error))}"
    return f"would write {safe(folder)}/"


def fit_text(run: Run, result: Scored, params: Params, written: Sequence[str]) -> Iterable[str]:
    """The result of a fit; `written` names what is in its folder."""
    settings, data = run.settings, run.data

    def page() -> str:
        few = not settings.endless and data.source.n_rows <= LOOKED_THROUGH
        next_ones = [] if settings.endless or not settings.folder else [*_again(run), _suggested(settings, data)]
        beside = beside_of(settings, read_line(data), params, written, next_ones)
        return fit_summary(params, beside, least_certain(result, data) if few else None)

    return in_form(settings, params, page)


def beside_of(
    settings: Settings,
    read_line: str,
    params: FoundFields,
    written: Sequence[str],
    suggestions: Sequence[str] = (),
) -> Beside:
    """What the summary of a run says beside its document; of warnings those that the same screen has not shown."""
    screen = settings.request.screen
    shown = sys.stderr.isatty() and not screen.quiet and screen.progress != "none"
    warnings = () if shown else params["warnings"]
    return Beside(read_line, warnings, written, settings.folder, suggestions, width(), color_wanted(screen))


def in_form(
    settings: Settings,
    document: Mapping[str, object],
    page: Callable[[], str],
    table: Callable[[], Iterable[str]] = tuple,
) -> Iterable[str]:
    """The result in the form that is wanted on standard output."""
    if settings.stdout == "json":
        return [to_json(document)]
    if settings.stdout == "csv":
        return table()
    return () if settings.stdout == "none" else [page()]


def _again(run: Run) -> list[str]:
    """The same command with options that do better, beside the run that it has made."""
    given, folder, better = _elsewhere(sys.argv[1:]), run.settings.folder, run.record.better
    if folder is None or not better or "--resume" in given:
        return []
    return [f"em {shlex.join(given)} {better} --out {shlex.quote(free_beside(folder))}"]


def _elsewhere(given: Sequence[str]) -> list[str]:
    """The arguments without the folder to write to; files beside it that are there by now are to be replaced."""
    kept = [
        word
        for before, word in zip(("", *given), given, strict=False)
        if not (before in OUT or word in OUT or word.startswith("--out="))
    ]
    beside = any(word.partition("=")[0] in BESIDE for word in kept) and "--force" not in kept
    return [*kept, "--force"] if beside else kept


def _suggested(settings: Settings, data: Data) -> str:
    """The sweep that may come next; it needs to know as much of the data as the fit did."""
    own = settings.config.data
    chain = ["--latent independent,markov"] if data.sequences is not None and own.group is None else []
    bayes = ["--inference variational"] if settings.config.inference == VARIATIONAL else []
    said = [*bayes, *chain, *in_options(differing(own, DataConfig(), READING) | _regression_said(settings))]
    return " ".join([f"em select {shlex.join(f.name for f in data.inputs)} --k-range 1-10", *said])


def _regression_said(settings: Settings) -> dict[str, str]:
    """The options by which a response, its regressors and what tells the mixing weights were named."""
    regression, said = settings.config.regression, dict[str, str | None]()
    if regression is not None:
        terms = {"on": ",".join(regression.on), "common": ",".join(regression.common)}
        said = {"response": regression.response, **terms, "offset": regression.offset}
    said["concomitant"] = ",".join(settings.config.concomitant)
    return {option: value for option, value in said.items() if value}


def sweep_text(run: Run, selection: Selection, params: Params, written: Sequence[str]) -> Iterable[str]:
    """The table of a sweep; as JSON, the document of the model chosen with the table in it."""
    settings = run.settings

    def page() -> str:
        next_ones = [*_again(run), *_labels(settings.folder, run.data), *further(settings.folder, params, written)]
        beside = beside_of(settings, read_line(run.data), params, written, next_ones)
        effort = params["search"]["effort"]
        return selection_summary(selection.rows, selection.chosen_row, selection.criterion, beside, effort)

    rows = [{key: _strict(value) for key, value in row.items()} for row in selection.rows]
    document = dict(params) | {"criterion": selection.criterion, "selection": rows}
    return in_form(settings, document, page, lambda: selection_text(selection))


def _labels(folder: str | None, data: Data) -> list[str]:
    """What adds its component to each row of the data, where they are one file of text."""
    names = [own.name for own in data.inputs]
    if folder is None or len(names) != 1 or names[0] == STDIN or "delimiter" not in data.layout:
        return []
    out = f"{Path(names[0]).name.partition('.')[0]}-labelled.csv"
    out = free_beside(out) if os.path.lexists(out) else out
    return [f"em predict {_place(folder)} {_place(names[0])} --append --out {_place(out)}"]


def _place(path: str) -> str:
    """As an argument that is taken for no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def further(folder: str | None, params: Mapping[str, object], written: Sequence[str] = ()) -> list[str]:
    """What may come next, when a model is chosen and these files are written."""
    if folder is None:
        return []
    own = _place(folder)
    names = {"sql": "score.sql", "python": "model.py"}
    exports = [f"em export {own} --to {to} --out {names[to]}" for to in targets_of(params)]
    return exports if "report.html" in written else [f"em report {own}", *exports]


def _strict(value: object) -> Any:
    return None if isinstance(value, float) and not isfinite(value) else value
