"""What a shell offers for the values of options: columns of the data, names of parts, runs."""

from __future__ import annotations

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
    **dict.fromkeys(("columns", "exclude"), columns),
    **dict.fromkeys(("types", "transforms", "units"), column_is),
    **dict.fromkeys(("id", "weights", "labels", "sequence", "order", "document", "term", "count", "text"), column),
    **{name: parts_of(axis) for name, axis in AXES.items()},
    **dict.fromkeys(("model", "run", "runs", "verify"), runs),
}  # by the names of parameters


def completer_of(name: str, metavar: str | None) -> Completer | None:
    """What completes the values of a parameter; None where a shell knows better, of files."""
    if name in COMPLETERS:
        return COMPLETERS[name]
    return words(metavar) if metavar and any(word.islower() for word in metavar.split("|")[1:]) else None


def _listed(names: Iterable[str], incomplete: str) -> list[str]:
    """The names that the last of a list may be, and none that stands in it already."""
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{name}" for name in names if name.startswith(last) and name not in taken]


def _columns_of(context: Context) -> list[str]:
    """The columns of the data file that is named in the line so far; none if it cannot be read."""
    return next((found for path in _files(context) if (found := _header(path))), [])


def _files(context: Context) -> Iterator[str]:
    """The words of the line that are files."""
    given = [*(context.params.get("paths") or context.params.get("data") or ()), *context.args]
    return (path for path in given if path and Path(path).is_file())


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
