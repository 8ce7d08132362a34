"""Pictures: what they show in words, and how they are drawn."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from importlib import import_module
from io import BytesIO
from types import ModuleType
from typing import TYPE_CHECKING, Any

from em_cli.errors import UsageError
from em_cli.printable import safe
from em_cli.registry import did_you_mean
from em_cli.reports import PICTURES
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Kind, Picture
from em_cli.reports.style import Theme
from em_cli.sources.quoting import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BACKENDS = {"png": "agg", "svg": "svg", "pdf": "pdf"}  # of Matplotlib
FORMATS = tuple(BACKENDS)
POINTS = 72  # to an inch


def kinds_named(names: Sequence[str]) -> dict[str, Kind]:
    """The kinds of these names, or all; `UsageError` has the nearest right name."""
    return {name: PICTURES.load(name)() for name in names or PICTURES.names()}


def pictures_of(run: FinishedRun, kinds: Sequence[str] = (), columns: Sequence[str] = ()) -> list[Picture]:
    """The pictures of these kinds, or all that apply; of these columns, or of those that each kind chooses."""
    asked = [_place(run, name) for name in columns]
    made = []
    for name, kind in kinds_named(kinds).items():
        able = kind.columns(run)
        wanted = [place for place in asked if place in able] if asked else list(able)
        reason = _unable(kind, run, asked, able) or kind.refusal(run, wanted)
        if not reason:
            made.append(_printable(kind.picture(run, wanted)))
        elif kinds:
            raise UsageError(f"--kind {name} does not apply: {reason}")
    if not made:
        raise UsageError(f"no picture shows {listed(columns)} alone." if columns else "no picture applies to this run.")
    return made


def _printable(made: Picture) -> Picture:
    """Names from the data do nothing where it is told."""
    return replace(made, title=safe(made.title), caption=safe(made.caption), alt=safe(made.alt))


def _unable(kind: Kind, run: FinishedRun, asked: Sequence[int], able: Sequence[int]) -> str:
    if not asked:
        return ""
    if not kind.shows:
        return "it shows no columns that --columns could choose."
    other = [run.column(place).name for place in asked if place not in able]
    return f"it shows {kind.shows}; {listed(other)} is none of them." if other else ""


def _place(run: FinishedRun, name: str) -> int:
    if name not in run.schema.names:
        raise UsageError(f"--columns: {name!r} was not fitted{did_you_mean(name, run.schema.names)}")
    place = run.schema.names.index(name)
    if place not in run.described:
        raise UsageError(f"--columns: {name!r} tells the mixing weights, and is not described.")
    return place


def rendered(
    picture: Picture,
    theme: Theme,
    format: str,
    dpi: float = 200,
    width: float | None = None,
    letters: bool = False,
    title: str | None = None,
) -> bytes:
    """The bytes of a file: the same for the same picture, with no time in them.

    Above it stands its own title, or another one, which may be empty. With `letters` an svg holds what is written
    as text, for whatever shows it to choose the font.
    """
    rc_context = _matplotlib().rc_context
    buffer = BytesIO()
    with drawn(picture, theme, width, title) as figure, rc_context({"svg.fonttype": "none" if letters else "path"}):
        _lay_out(figure, format, dpi)
        figure.savefig(buffer, format=format, dpi=dpi, metadata=_metadata(picture, format))
    return buffer.getvalue()


def _lay_out(figure: Figure, format: str, dpi: float) -> None:
    """Give everything its place, as saving would: that draws all of it once more to find that out."""
    import_module(f"matplotlib.backends.backend_{BACKENDS[format]}").FigureCanvas(figure)
    if (engine := figure.get_layout_engine()) is not None:
        figure.dpi = dpi if format == "png" else POINTS
        engine.execute(figure)
        figure.set_layout_engine(None)


@cache
def _matplotlib() -> ModuleType:
    """The library without the descriptions of its classes, which take a third of its import, and which nobody reads."""
    import matplotlib
    from matplotlib import artist

    describe = artist.kwdoc
    artist.kwdoc = lambda artist: ""
    try:
        import_module("matplotlib.figure")
    finally:
        artist.kwdoc = describe
    return matplotlib


@contextmanager
def drawn(picture: Picture, theme: Theme, width: float | None = None, title: str | None = None) -> Iterator[Figure]:
    """The picture as a figure of Matplotlib, with the settings under which it is to be saved."""
    matplotlib = _matplotlib()
    from matplotlib.figure import Figure

    wide, high = picture.size
    scale = 1.0 if width is None else width / wide
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()  # whatever the user's own settings are
        settings: Any = matplotlib.rcParams
        settings.update(theme.settings)
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a box stands for it
        figure = Figure(figsize=(wide * scale, high * scale), layout="constrained")
        if above := picture.title if title is None else title:
            figure.suptitle(above, x=0.01, ha="left", fontweight="bold")
        picture.draw(figure, theme)
        yield figure


def _metadata(picture: Picture, format: str) -> dict[str, object]:
    """Title and description, and no time."""
    if format == "png":
        return {"Title": picture.title, "Description": picture.alt, "Software": None}
    if format == "svg":
        return {"Title": picture.title, "Description": picture.alt, "Creator": "em", "Date": None}
    return {"Title": picture.title, "Subject": picture.alt, "Creator": "em", "Producer": None, "CreationDate": None}
