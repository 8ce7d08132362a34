"""The options of the command line, declared once."""

from em_cli.options.declared_options import (
    CertaintyOptions,
    ColumnOptions,
    ConfigOptions,
    Debug,
    FitModelOptions,
    FolderOptions,
    Group,
    Model,
    PlaceOptions,
    Quiet,
    ReadingOptions,
    ReportOptions,
    Rows,
    ScreenOptions,
    SearchOptions,
    Section,
    SelectModelOptions,
)
from em_cli.options.layers import layer, names_in
from em_cli.options.spread import as_given, grouped, is_group, spelled

__all__ = [
    "CertaintyOptions",
    "ColumnOptions",
    "ConfigOptions",
    "Debug",
    "FitModelOptions",
    "FolderOptions",
    "Group",
    "Model",
    "PlaceOptions",
    "Quiet",
    "ReadingOptions",
    "ReportOptions",
    "Rows",
    "ScreenOptions",
    "SearchOptions",
    "Section",
    "SelectModelOptions",
    "as_given",
    "grouped",
    "is_group",
    "layer",
    "names_in",
    "spelled",
]
