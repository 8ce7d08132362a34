"""From pictures to files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from em_cli.errors import UsageError

if TYPE_CHECKING:
    from em_cli.reports.picture import Picture
    from em_cli.reports.style import Theme


def check_extra() -> None:
    """`UsageError` if there is nothing to draw with."""
    if find_spec("matplotlib") is None:
        raise UsageError('drawing pictures needs pip install "em-cli[plots]".')


def files_of(
    pictures: Sequence[Picture], theme: Theme, format: str, dpi: float, width: float | None
) -> dict[str, Iterator[bytes]]:
    """The files of pictures, by name; each is drawn when it is written."""
    from em_cli.reports.picture import rendered

    def drawn(picture: Picture) -> Iterator[bytes]:
        yield rendered(picture, theme, format, dpi, width)

    return {f"{picture.kind}.{format}": drawn(picture) for picture in pictures}
