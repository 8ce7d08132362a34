"""What the command line asks of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from em_cli.options import ConfigOptions, ReportOptions, ScreenOptions, Section


@dataclass(frozen=True, slots=True)
class Request:
    """A run of `em fit` or `em select`, as it was asked for."""

    command: str
    paths: Sequence[str]  # of the data
    sections: tuple[Section, ...]  # options that are keys of the configuration
    config: ConfigOptions
    report: ReportOptions
    screen: ScreenOptions

    @property
    def compares(self) -> bool:
        """Whether several models are fitted, and one is chosen."""
        return self.command == "select"

    @property
    def formats(self) -> tuple[str, ...]:
        """In which forms the result can be said on standard output."""
        return ("human", "json", "csv") if self.compares else ("human", "json")
