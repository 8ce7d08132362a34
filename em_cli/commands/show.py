"""`em show`: a readable summary of a model or run folder."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Option

from em_cli.options import Model, ScreenOptions, grouped


@grouped
def show(
    model: Model,
    screen: ScreenOptions,
    json: Annotated[bool, Option("--json", help="The model document.")] = False,
    audit: Annotated[bool, Option("--audit", help="What its manifest says; are its files as written?")] = False,
    table: Annotated[
        str | None,
        Option("--table", metavar="NAME", help="One table, for a paper: components, or selection of a sweep."),
    ] = None,
    format: Annotated[
        str | None, Option("--format", metavar="latex|csv", help="Of the table [default: latex].")
    ] = None,
    draw: Annotated[
        str, Option("--draw", metavar="auto|always|never", help="Draw it too, with characters: auto on a terminal.")
    ] = "auto",
) -> None:
    """A readable summary of a model.

    Example: em show faithful-k2.em
    """
    from em_cli.display import can_draw
    from em_cli.errors import DataError, UsageError
    from em_cli.outputs.any_model import read_any
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.paper_tables import table_text
    from em_cli.runs.audit import audited
    from em_cli.runs.model_summary import summary_of

    drawn = can_draw(draw, sys.stdout)
    if json and audit:
        raise UsageError("--json gives the model document: the manifest is JSON already.")
    if table is not None:
        if json or audit:
            raise UsageError(f"--table and {'--json' if json else '--audit'} contradict each other.")
        write_file("-", table_text(model, table, format))
    elif format is not None:
        raise UsageError("--format is that of a table: name one by --table components.")
    elif audit:
        text, changed = audited(model, screen)
        write_file("-", [text])
        if changed:
            raise DataError(f"{model} is not as it was written: {', '.join(changed)}.")
    elif json:
        write_file("-", [to_json(dict(read_any(model).document))])
    else:
        write_file("-", [summary_of(model, screen, drawn)])
