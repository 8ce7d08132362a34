"""`em show`: a readable summary of a model or run folder."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Annotated

from typer import Option

from em_cli.options import Model, ScreenOptions, grouped

Document = Annotated[bool, Option("--json", help="The model document.")]
Audit = Annotated[bool, Option("--audit", help="What its manifest says; are its files as written?")]
Table = Annotated[
    str | None, Option("--table", metavar="NAME", help="One table, for a paper: components, or selection of a sweep.")
]
Format = Annotated[str | None, Option("--format", metavar="latex|csv", help="Of the table [default: latex].")]
Draw = Annotated[
    str, Option("--draw", metavar="auto|always|never", help="Draw it too, with characters: auto on a terminal.")
]


@grouped
def show(
    model: Model,
    screen: ScreenOptions,
    json: Document = False,
    audit: Audit = False,
    table: Table = None,
    format: Format = None,
    draw: Draw = "auto",
) -> None:
    """A readable summary of a model.

    Example: em show faithful-k2.em
    """
    from em_cli.display import can_draw
    from em_cli.errors import DataError
    from em_cli.outputs.any_model import read_any
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import to_json
    from em_cli.runs.audit import audited
    from em_cli.runs.model_summary import summary_of

    drawn = can_draw(draw, sys.stdout)
    text: Iterable[str]
    changed: list[str] = []
    _check(json, audit, table, format)
    if table is not None:
        from em_cli.postestimation.paper_tables import table_text

        text = table_text(model, table, format)
    elif audit:
        page, changed = audited(model, screen)
        text = [page]
    else:
        text = [to_json(dict(read_any(model).document)) if json else summary_of(model, screen, drawn)]
    write_file("-", text)
    if changed:
        raise DataError(f"{model} is not as it was written: {', '.join(changed)}.")


def _check(json: bool, audit: bool, table: str | None, format: str | None) -> None:
    """`UsageError` where two things are asked for at once."""
    from em_cli.errors import UsageError

    if json and audit:
        raise UsageError("--json gives the model document: the manifest is JSON already.")
    if table is not None and (json or audit):
        raise UsageError(f"--table and {'--json' if json else '--audit'} contradict each other.")
    if table is None and format is not None:
        raise UsageError("--format is that of a table: name one by --table components.")
