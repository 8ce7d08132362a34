"""The table of a sweep while it fills in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from rich.text import Text

from em_cli.display.progress import Cell, ModelKey
from em_cli.display.text import counted, nats, objective
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.printable import safe

Column = tuple[str, list[tuple[str, str]]]  # heading; text and style of each row
MARK = "◀"


def grid(cells: Mapping[ModelKey, Cell], lines: int, columns: int, sample: str) -> list[Text]:
    """A row for each number of components; a column for each structure, or what is known of the only one.

    It says of which sample that is, if it is one.
    """
    if not cells or lines < 4:
        return []
    ks = sorted({k for _, k in cells})
    labels = list(dict.fromkeys(label for label, _ in cells))
    values = {key: value for key, cell in cells.items() if (value := _bic(cell)) is not None}
    best = min(values, key=lambda key: values[key]) if values else None
    if len(labels) == 1:
        made = _details(labels[0], ks, cells, best)
    else:
        made = [_structure(label, ks, cells, best, bool(values)) for label in labels]
    final = all(cell.chosen for cell in cells.values())
    title = (
        f" BIC{'' if final else ' so far'}{sample}, lower is better"
        if values
        else f" best {objective(labels[0], _of(cells.values())).replace('loglik', 'log-likelihood')} so far"
    )
    first, last = _window(len(ks), lines - 3, ks.index(best[1]) if best else 0)
    shown, more = _fitting(made, columns - 5)
    rows = [
        Text.assemble(f"{k:>4} ", *((f"  {text}", style) for _, column in shown for text, style in [column[row]]))
        for row, k in list(enumerate(ks))[first:last]
    ]
    heading = Text(f"{'k':>4} " + "".join(f"  {name}" for name, _ in shown), "bold")
    hidden = [f"{len(ks) - (last - first)} more k"] if last - first < len(ks) else []
    hidden += [counted(more, "more structure")] if more else []
    if hidden:
        title += f"   … {', '.join(hidden)}"
    return [Text(""), Text(title, "dim"), heading, *rows]


def _of(cells: Iterable[Cell]) -> str:
    """What the heights of all of them are of."""
    return next((cell.of for cell in cells if cell.of != LOG_LIKELIHOOD), LOG_LIKELIHOOD)


def _structure(
    label: str, ks: list[int], cells: Mapping[ModelKey, Cell], best: ModelKey | None, scored: bool
) -> Column:
    """The BIC once it is known, the log-likelihood until then."""
    made: list[tuple[str, str]] = []
    for k in ks:
        cell = cells.get((label, k), Cell())
        value = _bic(cell) if scored else cell.best
        text = nats(value, 2) if value is not None and isfinite(value) else "·"
        made.append(_cell(text, cell, (label, k) == best))
    return _aligned(safe(label), made)


def _details(label: str, ks: list[int], cells: Mapping[ModelKey, Cell], best: ModelKey | None) -> list[Column]:
    """Of the only structure: log-likelihood, BIC, and the next criteria once they are known."""
    found = [cells.get((label, k), Cell()) for k in ks]
    of = _of(found)
    reached = [
        dict(cell.chosen.criteria).get(of, cell.chosen.log_likelihood) if cell.chosen else cell.best for cell in found
    ]
    texts = [
        nats(value).replace("—", "failed" if cell.chosen else "·") for value, cell in zip(reached, found, strict=True)
    ]
    made = [_aligned(objective(label, of), [_cell(text, cell, False) for text, cell in zip(texts, found, strict=True)])]
    values = [_bic(cell) for cell in found]
    texts = ["·" if value is None else nats(value, 2) for value in values]
    marked = [best == (label, k) for k in ks]
    made.append(_aligned("BIC", [_cell(t, c, m) for t, c, m in zip(texts, found, marked, strict=True)]))
    names = next((cell.chosen.criteria for cell in found if cell.chosen and cell.chosen.criteria), ())
    for name, _ in names[1:3]:
        values = [dict(cell.chosen.criteria).get(name) if cell.chosen else None for cell in found]
        texts = ["·" if value is None else nats(value, 2) for value in values]
        made.append(_aligned(name.upper(), [_cell(t, c, False) for t, c in zip(texts, found, strict=True)]))
    return made


def _cell(text: str, cell: Cell, best: bool) -> tuple[str, str]:
    if best:
        return f"{text} {MARK}", "bold green"
    return f"{text}  ", "dim" if cell.climbing and not cell.chosen else ""


def _aligned(name: str, made: list[tuple[str, str]]) -> Column:
    width = max(len(name), 11, *(len(text) for text, _ in made))
    return f"{name:>{width - 2}}  ", [(f"{text:>{width}}", style) for text, style in made]


def _bic(cell: Cell) -> float | None:
    """Of the model that is chosen, or so far."""
    return dict(cell.chosen.criteria).get("bic") if cell.chosen else cell.bic


def _window(n: int, room: int, centre: int) -> tuple[int, int]:
    """The rows to show: all, or as many as fit around the best."""
    if n <= room:
        return 0, n
    first = min(max(0, centre - room // 2), n - room)
    return first, first + room


def _fitting(columns: list[Column], room: int) -> tuple[list[Column], int]:
    """The columns that fit, and how many do not."""
    shown: list[Column] = []
    for heading, made in columns:
        room -= len(heading) + 2
        if room < 0:
            break
        shown.append((heading, made))
    return shown or columns[:1], len(columns) - len(shown or columns[:1])
