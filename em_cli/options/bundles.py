"""What `em fit` and `em select` ask alike, so that it is said once: groups of options in bundles."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from typer import Argument

from em_cli.options.declared_options import (
    CertaintyOptions,
    ColumnOptions,
    ConfigOptions,
    FolderOptions,
    ManyOptions,
    PlaceOptions,
    ReadingOptions,
    RegressionOptions,
    ReportOptions,
    ScreenOptions,
    SearchOptions,
)

DataPaths = Annotated[list[str] | None, Argument(metavar="DATA...", help="CSV files; - is standard input.")]


@dataclass(frozen=True)
class DataOptions:
    """What the data are."""

    columns: ColumnOptions = field(default_factory=ColumnOptions)
    reading: ReadingOptions = field(default_factory=ReadingOptions)


@dataclass(frozen=True)
class RunOptions:
    """How a run is made and told, whatever is fitted."""

    regression: RegressionOptions = field(default_factory=RegressionOptions)
    search: SearchOptions = field(default_factory=SearchOptions)
    certainty: CertaintyOptions = field(default_factory=CertaintyOptions)
    place: PlaceOptions = field(default_factory=PlaceOptions)
    folder: FolderOptions = field(default_factory=FolderOptions)
    many: ManyOptions = field(default_factory=ManyOptions)
    config: ConfigOptions = field(default_factory=ConfigOptions)
    report: ReportOptions = field(default_factory=ReportOptions)
    screen: ScreenOptions = field(default_factory=ScreenOptions)

    @property
    def several(self) -> bool:
        """Whether there is to be a run for each file, or for each level of a column."""
        return self.many.each or self.many.by is not None
