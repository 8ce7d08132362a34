"""Tables of a run as papers and spreadsheets take them: LaTeX, and CSV with all digits."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from em_cli.errors import DataError, UsageError
from em_cli.outputs.model_file import read_model
from em_cli.outputs.tables import csv_text
from em_cli.printable import safe
from em_cli.registry import did_you_mean
from em_cli.reports.numbers import decimals_of
from em_cli.runs.read_back import table_of

TABLES = ("components", "selection")
FORMATS = ("latex", "csv")
TEXT_WIDTH, LETTER, BETWEEN = 345.0, 5.0, 12.0  # points: of a page of LaTeX's article, about, and between columns
SIZES = {"": 1.0, "\\small": 0.9, "\\footnotesize": 0.8}  # of letters, where a table would be too wide
SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{mark: f"\\{mark}" for mark in "&%$#_{}"},
}
LATIN = 0x17F  # the last letter that pdflatex knows
FIGURES = {
    "log_likelihood": r"$\log L$", "n_parameters": "$p$", "bic": "BIC", "aic": "AIC", "icl": "ICL",
    "entropy": "entropy", "smallest_share": "smallest",
}  # fmt: skip
Cells = Sequence[str]


def table_text(model: str, table: str, format: str | None) -> Iterator[str]:
    """A table of a model or run folder; LaTeX unless CSV is asked for."""
    if table not in TABLES:
        raise UsageError(f"unknown table {table!r}{did_you_mean(table, TABLES)}")
    if format not in (None, *FORMATS):
        raise UsageError(f"--format {format!r}: a table can be {' or '.join(FORMATS)}.")
    if table == "selection":
        rows = table_of(Path(model), "selection") if Path(model).is_dir() else ()
        if not rows:
            raise DataError(f"{model} holds no table of a sweep: em select writes one.")
        yield from csv_text(list(rows[0]), rows) if format == "csv" else _selection(rows)
        return
    found = read_model(model).document.get("components")
    if not found:
        raise DataError(f"{model} does not describe its components: it was not written by em fit.")
    yield from _components_csv(found) if format == "csv" else _components(found)


def _components_csv(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each figure, a column for each component."""
    heads = [f"component_{one['component']}" for one in found]

    def line(column: str, level: str, statistic: str, values: Sequence[object]) -> dict[str, object]:
        return {"column": column, "level": level, "statistic": statistic} | dict(zip(heads, values, strict=True))

    lines = [line("", "", name, [one[name] for one in found]) for name in ("name", "weight", "n_assigned")]
    for column in found[0]["mean"]:
        lines += [line(column, "", name, [one[name][column] for one in found]) for name in ("mean", "sd")]
        if column in found[0].get("at_value", {}):
            at = [one["at_value"][column] for one in found]
            lines.append(line(column, f"{at[0]['value']:g}", "probability", [one["probability"] for one in at]))
    for column, levels in found[0].get("probabilities", {}).items():
        for level in levels:
            own = [one["probabilities"][column][level] for one in found]
            lines.append(line(column, level, "probability", own))
    return csv_text(["column", "level", "statistic", *heads], lines)


def _components(found: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """Several tables one below the other, where one would be too wide for a page."""
    heads, lines = ["", *(latex(str(one["name"])) for one in found)], _lines_of_components(found)
    parts = _parts([heads, *lines])
    for part in parts:
        of = f", {part.start} to {part.stop - 1} of {len(found)}" if len(parts) > 1 else ""
        caption = f"Components{of}: mean (standard deviation), or probability of a level."
        own = [[line[0], *line[part]] for line in lines]
        yield from _tabular(caption, "l" + "r" * (part.stop - part.start), [heads[0], *heads[part]], own)


def _lines_of_components(found: Sequence[Mapping[str, Any]]) -> list[Cells]:
    """A cell for what it is, and one for each component."""
    lines: list[Cells] = [
        ["weight", *(f"{one['weight']:.3f}" for one in found)],
        ["rows", *(f"{one['n_assigned']}" for one in found)],
    ]
    for column in found[0]["mean"]:
        lines.append([latex(column), *(_mean_and_sd(one["mean"][column], one["sd"][column]) for one in found)])
    for column, levels in found[0].get("probabilities", {}).items():
        lines.append([latex(column), *("" for _ in found)])
        for level in levels:
            lines.append([rf"\quad {latex(level)}", *(f"{one['probabilities'][column][level]:.2f}" for one in found)])
    return lines


def _parts(lines: Sequence[Cells]) -> list[slice]:
    """Which columns beside the first go into a table each, so that it fits on a page, as evenly as may be."""
    first, *others = _widths(lines)
    room = max(1, int((TEXT_WIDTH - first) // max(others)))
    tables = -(-len(others) // room)
    each = -(-len(others) // tables)
    return [slice(at, min(at + each, len(others) + 1)) for at in range(1, len(others) + 1, each)]


def _widths(lines: Sequence[Cells], size: float = 1.0) -> list[float]:
    """Of the columns of a table, in points."""
    plain = [[re.sub(r"\\[a-z]+|[\\{}$]", "", cell) for cell in column] for column in zip(*lines, strict=True)]
    return [size * LETTER * max(map(len, column)) + BETWEEN for column in plain]


def _selection(rows: Sequence[Mapping[str, object]]) -> Iterator[str]:
    """A line for each model, as they are printed."""
    known = [name for name in FIGURES if any(row.get(name) is not None for row in rows)]
    lines = []
    for row in rows:
        label = latex(f"{row['model']}")
        chosen = str(row.get("note") or "").startswith("chosen")
        cells = [rf"\textbf{{{label}}}" if chosen else label, str(row["k"])]
        lines.append([*cells, *(_figure(name, row.get(name)) for name in known)])
    heads = ["model", "$K$", *(FIGURES[name] for name in known)]
    yield from _tabular("Models; the one chosen is bold.", "lr" + "r" * len(known), heads, lines)


def _tabular(caption: str, columns: str, heads: Cells, lines: Sequence[Cells]) -> Iterator[str]:
    beyond = any(ord(mark) > LATIN for line in lines for mark in "".join(line))
    fitting = (name for name, share in SIZES.items() if sum(_widths([heads, *lines], share)) <= TEXT_WIDTH)
    size = next(fitting, list(SIZES)[-1])
    yield "% needs \\usepackage{booktabs}" + (", and xelatex or lualatex for its letters" if beyond else "")
    yield f"\n\\begin{{table}}\n\\centering{size}\n"
    yield f"\\caption{{{caption}}}\n\\begin{{tabular}}{{{columns}}}\n\\toprule\n"
    yield f"{' & '.join(heads)} \\\\\n\\midrule\n"
    for line in lines:
        yield f"{' & '.join(line)} \\\\\n"
    yield "\\bottomrule\n\\end{tabular}\n\\end{table}\n"


def latex(text: str) -> str:
    """Any text, printed as it stands."""
    return re.sub(r"[\\~^&%$#_{}]", lambda mark: SPECIAL[mark[0]], safe(text))


def _mean_and_sd(mean: float | None, sd: float | None) -> str:
    """Three digits of the deviation, and as many decimals of the mean."""
    if mean is None or sd is None or not isfinite(mean) or not isfinite(sd):
        return "---" if mean is None or not isfinite(mean) else f"{mean:.4g}"
    if sd and not 1e-4 <= sd < 1e7:
        return rf"{_power(mean)} ({_power(sd)})"
    decimals = decimals_of(sd, 3) if sd else decimals_of(mean, 4)
    return f"{_minus(mean, decimals)} ({sd:.{decimals}f})"


def _power(value: float) -> str:
    digits, _, power = f"{value:.2e}".partition("e")
    return rf"${digits} \times 10^{{{int(power)}}}$"


def _minus(value: float, decimals: int) -> str:
    text = f"{value:z.{decimals}f}"  # z: no minus before zero
    return f"${text}$" if text.startswith("-") else text


def _figure(name: str, value: Any) -> str:
    if value is None:
        return "---"
    return str(value) if name == "n_parameters" else _minus(float(value), 3 if name == "smallest_share" else 2)
