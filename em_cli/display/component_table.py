"""The table of the components of a fit, from its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite, nan, sqrt
from typing import Any

from rich.cells import cell_len

from em_cli.display.mean_and_sd import aligned
from em_cli.display.search_words import number
from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.families.variational.held import independent, not_separated
from em_cli.inference.reported import errors_of_components
from em_cli.printable import beside_mass, fixed, safe

MOST_COLUMNS = 30
MOST_COMPONENTS = 40
LONGEST_NAME = 24  # characters
MOST_PAIRS = 12  # of columns that are named
EMPTY = 0.5  # rows; a component that bears fewer has been emptied by the prior
Entry = tuple[str, list[str]]  # heading and cells


def components(page: Page, document: Mapping[str, object]) -> None:
    """Weight and size of every component, mean (sd) or likeliest level of every column; in blocks that fit the page."""
    found = bearing(document)
    if not found:
        return
    shown = found[:MOST_COMPONENTS]
    names = [str(name) for name in _list(document.get("feature_names_in")) if _is_told(shown[0], str(name))]
    errors = errors_of_components(document, len(shown))
    columns = [
        entry for name in names[:MOST_COLUMNS] for entry in (_column(name, shown, errors), *_at_value(name, shown))
    ]
    correlations = _correlations(document, len(shown))
    if correlations and len(names) == 2:
        columns.append(("corr", [_signed(r) for r in correlations]))
    first = ("component", [_name(c, place + 1) for place, c in enumerate(shown)])
    size = [("weight", _weights(shown, errors)), ("rows", [_rows(c) for c in shown])]
    doubtful = [("", ["doubtful" if c.get("degenerate") else "" for c in shown])]
    tail = doubtful if any(doubtful[0][1]) else []
    blocks = blocks_of(columns, page.width - 1 - width_of([first, *tail]), width_of(size))
    for place, block in enumerate(blocks):
        if place:
            page.blank()
        entries = [first, *(size if place == 0 else []), *block, *tail]
        right = {i for i, (heading, _) in enumerate(entries) if heading in ("component", "weight", "rows")}
        page.table([h for h, _ in entries], list(zip(*(cells for _, cells in entries), strict=True)), right)
    if (noise := number(document.get("noise"))) is not None:
        page.flow([f"noise {noise:.3f}", f"{int(number(document.get('noise_n_assigned')) or 0):,} rows"])
    if (empty := len(_list(document.get("components"))) - len(found)) > 0:
        page.flow([f"{counted(empty, 'more component')} without rows, as the prior has them"], style="dim")
    if same := not_separated(document):
        page.flow([f"no component has a mean of its own in: {safe(', '.join(same))}"])
    _pairs(page, document)
    left = [counted(len(found) - len(shown), "more component")] if len(found) > len(shown) else []
    left += [counted(len(names) - MOST_COLUMNS, "more column")] if len(names) > MOST_COLUMNS else []
    if left:
        page.flow([f"… and {' and '.join(left)} in params.json"], style="dim")


def _pairs(page: Page, document: Mapping[str, object]) -> None:
    """Which columns a penalty of precisions leaves independent."""
    n, of, everywhere = independent(document)
    if of:
        named = everywhere[:MOST_PAIRS] + (["…"] if len(everywhere) > MOST_PAIRS else [])
        where = f"; in every component: {safe(', '.join(named))}" if named else ""
        page.flow([f"{n:,} of {counted(of, 'pair')} of columns independent in a component, given the others{where}"])


def bearing(document: Mapping[str, object]) -> list[Mapping[str, Any]]:
    """The components; of a variational fit those that bear rows, if any do."""
    found = [c for c in _list(document.get("components")) if isinstance(c, Mapping)]
    if document.get("inference") != "variational":
        return found
    return [c for c in found if (number(c.get("n_effective")) or 0.0) >= EMPTY] or found


def _is_told(component: Mapping[str, object], name: str) -> bool:
    """Whether anything is said of a column: of regressors nothing is."""
    own = [component.get(field) for field in ("mean", "probabilities")]
    return any(name in found for found in own if isinstance(found, Mapping))


def _name(component: Mapping[str, object], place: int) -> str:
    number, name = component.get("component", place), str(component.get("name", ""))
    own = "" if not name or name == f"component {number}" else f"{shortened(safe(name), LONGEST_NAME)} "
    return f"{own}{number}"


def _column(name: str, shown: Sequence[Mapping[str, object]], errors: Sequence[Mapping[str, object]] | None) -> Entry:
    likeliest, beside = [found for c in shown if (found := _likeliest(c, name))], ""
    if len(likeliest) == len(shown):
        widest = max(cell_len(level) for level, _ in likeliest)
        cells = [f"{level}: {' ' * (widest - cell_len(level))}{p:.2f}" for level, p in likeliest]
    else:
        beside = next((f" ≠ {value:.6g}" for c in shown if (value := _mass(c, name)[0]) is not None), "")
        of_means = None if errors is None or beside else [_of(e, "mean", name) for e in errors]
        told = of_means if of_means is not None and any(map(isfinite, of_means)) else None
        cells = aligned([_spread(c, name) for c in shown], told)
    heading = shortened(safe(name), LONGEST_NAME) + beside
    width = max(cell_len(cell) for cell in cells)
    return " " * ((width - cell_len(heading)) // 2) + heading, cells


def _spread(component: Mapping[str, object], name: str) -> tuple[float | None, float | None]:
    """Mean and standard deviation; of what is not at the value that many rows bear, where there is such a value."""
    mean, sd, (value, p) = _of(component, "mean", name), _of(component, "sd", name), _mass(component, name)
    return (mean, sd) if value is None else beside_mass(mean, sd, value, p)


def _mass(component: Mapping[str, object], name: str) -> tuple[float | None, float]:
    """The value of a column that many rows bear, and its probability; None if there is no such value."""
    masses = component.get("at_value")
    own = masses.get(name) if isinstance(masses, Mapping) else None
    own = own if isinstance(own, Mapping) else {}
    return number(own.get("value")), number(own.get("probability")) or 0.0


def _at_value(name: str, shown: Sequence[Mapping[str, object]]) -> list[Entry]:
    """How probable the value is that many rows of a column bear, if there is such a value."""
    found = [_mass(c, name) for c in shown]
    if (value := found[0][0]) is None:
        return []
    return [(f"{shortened(safe(name), LONGEST_NAME)} = {value:.6g}", [f"{p:.2f}" for _, p in found])]


def blocks_of(columns: Sequence[Entry], room: int, first: int = 0) -> list[list[Entry]]:
    """The columns, in blocks of that many cells; the first has other things to show too."""
    blocks: list[list[Entry]] = [[]]
    left = room - first
    for column in columns:
        width = width_of([column])
        if width > left and (blocks[-1] or first):
            blocks.append([])
            left, first = room, 0
        blocks[-1].append(column)
        left -= width
    return blocks


def width_of(entries: Sequence[Entry]) -> int:
    return sum(2 + max(map(cell_len, (heading, *cells))) for heading, cells in entries)


def shortened(text: str, longest: int) -> str:
    """Long names often differ at their ends: cut the middle."""
    if len(text) <= longest:
        return text
    tail = (longest - 1) // 2
    return f"{text[: longest - 1 - tail]}…{text[-tail:]}"


def _correlations(document: Mapping[str, object], n: int) -> list[float]:
    """Of the two columns, in every component, where the document has matrices of their covariances."""
    covariances = document.get("covariances")
    try:
        matrices = [covariances] * n if document.get("covariance_type") == "tied" else _list(covariances)[:n]
        found = [_correlation(matrix) for matrix in matrices]
        return found if len(found) == n else []
    except (TypeError, ValueError, LookupError, OverflowError):
        return []


def _correlation(matrix: Any) -> float:
    (a, b), (_, d) = matrix
    return float(b) / sqrt(a * d) if a * d > 0 else nan


def _signed(r: float) -> str:
    return fixed(r, 2) if not isfinite(r) or round(r, 2) <= 0 else f"+{fixed(r, 2)}"


def _of(component: Mapping[str, object], field: str, name: str) -> float:
    values = component.get(field)
    value = number(values.get(name)) if isinstance(values, Mapping) else None
    return nan if value is None else value


def _likeliest(component: Mapping[str, object], name: str) -> tuple[str, float] | None:
    """The level of a column that is the likeliest in a component, and its probability; None if it has no levels."""
    columns = component.get("probabilities")
    levels = columns.get(name) if isinstance(columns, Mapping) else None
    if not isinstance(levels, Mapping) or not levels:
        return None
    found = {str(level): number(p) or 0.0 for level, p in levels.items()}
    top = max(found, key=lambda level: found[level])
    return shortened(safe(top), LONGEST_NAME), found[top]


def _weights(shown: Sequence[Mapping[str, object]], errors: Sequence[Mapping[str, object]] | None) -> list[str]:
    weights = [_weight(c) for c in shown]
    found = [number(e.get("weight")) for e in errors or ()]
    if not found or any(error is None for error in found):
        return weights
    return [f"{weight} ± {error:.3f}" for weight, error in zip(weights, found, strict=True)]


def _weight(component: Mapping[str, object]) -> str:
    value = number(component.get("weight"))
    return "" if value is None else f"{value:.3f}" if value >= 0.001 or value == 0 else f"{value:.1e}"


def _rows(component: Mapping[str, object]) -> str:
    value = number(component.get("n_assigned"))
    return "" if value is None else f"{int(value):,}"


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
