"""What the command line asks of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from em_cli.errors import UsageError
from em_cli.options import ConfigOptions, DataOptions, FolderOptions, ReportOptions, RunOptions, ScreenOptions, Section

OF_EACH_ROW = ("all", "top", "none")  # what --responsibilities says where it names no file


@dataclass(frozen=True)
class OfEachRow:
    """Which responsibilities to write, as a key of the configuration."""

    section: ClassVar[str] = ""
    panel: ClassVar[str] = "Output"

    responsibilities: str


@dataclass(frozen=True, slots=True)
class Request:
    """A run of `em fit` or `em select`, as it was asked for."""

    command: str
    paths: Sequence[str]  # of the data
    sections: tuple[Section, ...]  # options that are keys of the configuration
    config: ConfigOptions
    report: ReportOptions
    screen: ScreenOptions

    def __post_init__(self) -> None:
        """A word for which responsibilities are written is a key of the configuration."""
        word = self.report.responsibilities_to
        if word not in OF_EACH_ROW:
            return
        given = [own.responsibilities for own in self.sections if isinstance(own, FolderOptions)]
        if given[0] is not None and (given[0] is False) != (word == "none"):
            no = "--no-responsibilities" if given[0] is False else "--write-responsibilities"
            raise UsageError(f"--responsibilities {word} and {no} contradict each other.")
        object.__setattr__(self, "report", replace(self.report, responsibilities_to=None))
        object.__setattr__(self, "sections", (*self.sections, OfEachRow(word)))

    @property
    def compares(self) -> bool:
        """Whether several models are fitted, and one is chosen."""
        return self.command == "select"

    @property
    def formats(self) -> tuple[str, ...]:
        """In which forms the result can be said on standard output."""
        return ("human", "json", "csv") if self.compares else ("human", "json")


def requested(
    command: str, paths: Sequence[str] | None, data: DataOptions, run: RunOptions, *of_models: Section
) -> Request:
    """What the options of a command ask for."""
    of_run = (run.regression, run.search, run.certainty, run.place, run.folder)
    sections: tuple[Section, ...] = (data.columns, data.reading, *of_models, *of_run)
    return Request(command, paths or (), sections, run.config, run.report, run.screen)
