"""What a kind of picture is, and what it makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is ready to be drawn."""

    kind: str
    title: str
    caption: str  # what it shows, and of which rows
    alt: str  # what is seen in it, for those who cannot
    size: tuple[float, float]  # inches
    draw: Callable[[Figure, Theme], None]


class Kind(Protocol):
    """A kind of picture. Its fields are its options."""

    needs_rows: ClassVar[bool]
    shows: ClassVar[str]  # which columns, in words; "" if none in particular

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        """Places of those that it can show."""

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        """Why it does not apply to the run; "" if it does."""

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        """Of these columns out of those it can show."""


class OfTheWhole:
    """What a kind of picture has that shows no columns in particular."""

    __slots__ = ()
    shows: ClassVar[str] = ""

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return ()
