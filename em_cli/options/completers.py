"""What a shell offers for the values of options: columns of the data, names of parts, runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from typer import Context

Completer = Callable[[Context, str], list[str]]
AXES = {
    "family": "families",
    "covariance": "covariances",
    "latent": "latents",
    "algorithm": "algorithms",
    "criterion": "criteria",
    "start": "starts",
    "kind": "pictures",
}  # of which parameters name parts


def columns(context: Context, incomplete: str) -> list[str]:
    """Columns of the first data file, one by one behind commas."""
    return _listed(_columns_of(context), incomplete)


def column(context: Context, incomplete: str) -> list[str]:
    """A column of the first data file."""
    return [name for name in _columns_of(context) if name.startswith(incomplete)]


def column_is(context: Context, incomplete: str) -> list[str]:
    """A column with what shall be said of it."""
    return [f"{name}=" for name in _columns_of(context) if name.startswith(incomplete)]


def parts_of(axis: str) -> Completer:
    """Names of the parts of an axis, one by one behind commas."""

    def complete(context: Context, incomplete: str) -> list[str]:
        return _listed(_names(axis), incomplete)

    return complete


def words(metavar: str) -> Completer:
    """One of the words that stand in a description such as low|normal|high."""
    choices = [word for word in metavar.split("|") if word.islower()]

    def complete(context: Context, incomplete: str) -> list[str]:
        return [word for word in choices if word.startswith(incomplete)]

    return complete


def runs(context: Context, incomplete: str) -> list[str]:
    """Run folders; nothing where there is none, so that the shell offers files."""
    place = Path(incomplete) if incomplete.endswith("/") else Path(incomplete).parent
    begin = (
        "" if str(place) == "." and not incomplete.startswith("./") else f"{incomplete[: incomplete.rfind('/') + 1]}"
    )
    with suppress(OSError):
        found = sorted(entry.name for entry in place.iterdir() if (entry / "params.json").is_file())
        return [f"{begin}{name}" for name in found if f"{begin}{name}".startswith(incomplete)]
    return []


COMPLETERS: dict[str, Completer] = {
    **dict.fromkeys(("columns", "exclude", "concomitant", "keep", "outcome", "on"), columns),
    **{name: parts_of(axis) for name, axis in AXES.items()},
    **dict.fromkeys(("model", "run", "runs"), runs),
    "inference": words("ml|map|variational"),
    "progress": words("auto|live|plain|jsonl|none"),
    "table": words("components|selection"),
}  # by the names of parameters
DESCRIBED: dict[str, Completer] = {
    **dict.fromkeys(("COL=TYPE", "COL=NAME", "COL=UNIT"), column_is),
    "COL": column,
    "RUN": runs,
}  # by how their values are described
MADE = {"files"}  # columns that are made, and not read


def completer_of(name: str, metavar: str | None) -> Completer | None:
    """What completes the values of a parameter; None where a shell knows better, of files."""
    if name in MADE or metavar is None:
        return None
    found = COMPLETERS.get(name) or DESCRIBED.get(metavar)
    if found is None and any(word.islower() for word in metavar.split("|")[1:]):
        found = words(metavar)
    return found and _as_typed(found)


class _Quoted(str):
    """A value with marks of a shell in it; that it begins as the word typed so far was seen before they were put in."""

    def startswith(self, *_: object) -> bool:
        return True


def _as_typed(complete: Completer) -> Completer:
    """What it offers, as the shell that asks wants it typed."""

    def typed(context: Context, incomplete: str) -> list[str]:
        offered = (value for value in complete(context, incomplete) if value.isprintable())
        match os.environ.get("_EM_COMPLETE"):
            case "complete_bash":  # puts it into the line as it is
                quote = _open_quote(os.environ.get("COMP_WORDS", ""))
                return [_Quoted(_quoted(value, quote)) for value in offered]
            case "complete_zsh":  # reads it as a part of a program
                return [value for value in offered if not set(value) & set("'\"`\\")]
        return list(offered)

    return typed


def _open_quote(line: str) -> str:
    """The quotation mark that a line of bash leaves open; none if it closes all of them."""
    quote = ""
    for mark in re.findall(r"\\.|['\"]", line):
        if mark == quote or (not quote and len(mark) == 1):
            quote = "" if quote else mark
    return quote


def _quoted(value: str, quote: str) -> str:
    """What bash reads as this value behind that quotation mark."""
    if quote == "'":
        return value.replace("'", "'\\''")
    return re.sub(r"([\\$`\"])" if quote else r"([^\w=:,./+@%-])", r"\\\1", value)


def _listed(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that the last of a list may be, and none that stands in it already."""
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in taken]


def _columns_of(context: Context) -> list[str]:
    """The columns of the data file that is named in the line so far, or of its run; none if neither can be read."""
    read = next((found for path in _files(context) if (found := _header(path))), None)
    return read or next((found for run in context.args if (found := _columns_of_run(run))), [])


def _files(context: Context) -> Iterator[str]:
    """The words of the line that are files."""
    given = [*(context.params.get("paths") or context.params.get("data") or ()), *context.args]
    return (path for path in given if path and Path(path).is_file())


def _columns_of_run(run: str) -> list[str]:
    """The columns of the data that a run was fitted to; none if it does not say."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return list(json.loads((Path(run) / "manifest.json").read_bytes())["data"]["layout"]["columns"])
    return []


def _header(path: str) -> list[str]:
    from em_cli.errors import EmError
    from em_cli.sources.decoding import lines
    from em_cli.sources.files import opened
    from em_cli.sources.layout import layout
    from em_cli.sources.read_options import ReadOptions

    with suppress(EmError, OSError, ValueError), opened(path) as file:
        for piece in lines(file, None):
            found = layout(piece, path, ReadOptions())
            if found is not None:
                return list(found.names)
    return []


def _names(axis: str) -> list[str]:
    from em_cli.algorithms import ALGORITHMS
    from em_cli.criteria import CRITERIA
    from em_cli.families import FAMILIES
    from em_cli.families.covariances import COVARIANCES
    from em_cli.latents import LATENTS
    from em_cli.reports import PICTURES
    from em_cli.starts import STARTS

    registries = (FAMILIES, COVARIANCES, LATENTS, ALGORITHMS, CRITERIA, STARTS, PICTURES)
    found = next(registry for registry in registries if registry.axis == axis)
    return [*found.names(), *(found.aliases if axis == "covariances" else ())]
