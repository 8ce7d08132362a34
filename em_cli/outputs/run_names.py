"""The names of run folders where nobody gives them, and the runs that a name can mean."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

from em_cli.printable import safe, say
from em_cli.sources.remote import path_in

SUFFIX = ".em"
MOST_LISTED = 5  # numbers of components
LONGEST = 60  # characters


def default_name(data: str, ks: Sequence[int], choices: Sequence[str]) -> str:
    """<name of the data>-k<components>.em, with what was chosen otherwise than by default: faithful-k3-tied.em.

    There is no k where there are no numbers of components.
    """
    stem = path_in(data).name.split(".")[0] or "data"
    short = f"{stem}-k{_span(ks)}" if ks else stem
    long = "-".join([short, *choices])
    return (long if len(long) <= len(stem) + LONGEST else short) + SUFFIX


def _span(ks: Sequence[int]) -> str:
    first, last = ks[0], ks[-1]
    if len(ks) == 1:
        return str(first)
    if len(ks) > MOST_LISTED or list(ks) == list(range(first, last + 1)):
        return f"{first}-{last}"
    return ",".join(map(str, ks))


def free_beside(path: str) -> str:
    """The same name with the next number that is not taken."""
    place = Path(path)
    names = (str(place.with_name(f"{place.stem}-{number}{place.suffix}")) for number in count(2))
    return next(name for name in names if not os.path.lexists(name))


def meant_run(path: str) -> str:
    """The run folder itself; or where there is none of this name the latest run of these data, which is said."""
    if not path.endswith(SUFFIX) or os.path.lexists(path):
        return path
    place = Path(path)
    found = list(runs_of(place.parent, place.name.removesuffix(SUFFIX)))
    if not found:
        return path
    latest = str(max(found, key=lambda run: (run / "params.json").stat().st_mtime_ns))
    among = f", the latest of {len(found)} runs of these data" if len(found) > 1 else ""
    say(f"{safe(path)} is not there: taking {safe(latest)}{among}.")
    return latest


def runs_of(folder: Path, stem: str) -> Iterator[Path]:
    """The run folders that bear a default name of these data."""
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    begin = f"{stem}-k"
    for entry in entries:
        rest = entry.name.removeprefix(begin)
        if rest != entry.name and rest[:1].isdigit() and rest.endswith(SUFFIX) and (entry / "params.json").is_file():
            yield entry
