"""Options of several commands, that are no group of their own."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

DataNow = Annotated[
    list[str] | None, Argument(metavar="[DATA...]", help="Where the data are now, if not where they were.")
]
OutFile = Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")]
OutFolder = Annotated[
    str | None, Option("-o", "--out", metavar="DIR", help="[default: the run folder]", show_default=False)
]
ReplaceFile = Annotated[bool, Option("--force", help="Replace an existing file.")]
ReplaceFiles = Annotated[bool, Option("--force", help="Replace existing files.")]
JsonDocument = Annotated[bool, Option("--json", help="The document on stdout.")]
Memory = Annotated[
    str | None, Option("--memory", metavar="SIZE", help="Of rows; more lie on disk [default: half of what is free].")
]
TimeLimit = Annotated[
    str | None, Option("--time-limit", metavar="TIME", help="10m, 90s, 1.5h: then what there is by then.")
]
