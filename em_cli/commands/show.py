"""`em show`: a readable summary of a model or run folder."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Option

from em_cli.errors import DataError, UsageError
from em_cli.options import Model, ScreenOptions, grouped
from em_cli.runs.summary import summary_of


@grouped
def show(
    model: Model,
    screen: ScreenOptions,
    json: Annotated[bool, Option("--json", help="The model document.")] = False,
    audit: Annotated[bool, Option("--audit", help="What its manifest says; are its files as written?")] = False,
    draw: Annotated[
        str, Option("--draw", metavar="auto|always|never", help="Draw it too, with characters: auto on a terminal.")
    ] = "auto",
) -> None:
    """A readable summary of a model.

    Example: em show faithful.em
    """
    from em_cli.display import can_draw
    from em_cli.outputs.folder import write_file

    drawn = can_draw(draw, sys.stdout)
    if json and audit:
        raise UsageError("--json gives the model document: the manifest is JSON already.")
    if audit:
        _show_audit(model, screen)
        return
    if json:
        from em_cli.outputs.manifest import to_json
        from em_cli.outputs.model_file import read_model

        write_file("-", [to_json(dict(read_model(model).document))])
        return
    write_file("-", [summary_of(model, screen, drawn)])


def _show_audit(run: str, screen: ScreenOptions) -> None:
    """How a run was made; `DataError` if its files are not those that it wrote."""
    from em_cli.display.audit_page import audit_page
    from em_cli.outputs.folder import write_file
    from em_cli.runs.audit import AS_WRITTEN, input_states, manifest_of, states
    from em_cli.runs.stdout import color_wanted, width

    columns = width() if sys.stdout.isatty() else 100
    try:
        manifest = manifest_of(run)
        found = states(run, manifest)
        text = audit_page(run, manifest, found, input_states(manifest), columns, color_wanted(screen))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{run}/manifest.json is damaged: it does not say what a manifest says.") from None
    write_file("-", [text])
    if changed := [f"{name} is {state}" for name, state in found.items() if state != AS_WRITTEN]:
        raise DataError(f"{run} is not as it was written: {', '.join(changed)}.")
