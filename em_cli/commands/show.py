"""`em show`: a readable summary of a model or run folder."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Option

from em_cli.commands.options import ScreenOptions, grouped
from em_cli.commands.predict import Model


@grouped
def show(
    model: Model,
    screen: ScreenOptions,
    json: Annotated[bool, Option("--json", help="The model document.")] = False,
) -> None:
    """A readable summary of a model.

    Example: em show faithful.em
    """
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.model_file import read_model

    if json:
        from em_cli.outputs.manifest import to_json

        write_file("-", [to_json(dict(read_model(model).document))])
        return
    write_file("-", [summary_of(model, screen)])


def summary_of(model: str, screen: ScreenOptions) -> str:
    """What there is to say of a model, or of the model of a run."""
    from em_cli.commands.saying import color_wanted, width
    from em_cli.display.summary import fit_summary
    from em_cli.outputs.model_file import read_model

    loaded = read_model(model)
    document = loaded.document
    n, names = document.get("n_samples", 0), ", ".join(loaded.schema.names)
    text = fit_summary(
        document,
        read_line=f"fitted to {n:,} rows of {names}",
        written=[],
        folder=None,
        width=width() if sys.stdout.isatty() else 80,
        color=color_wanted(screen),
    )
    return text if text.endswith("\n") else text + "\n"
