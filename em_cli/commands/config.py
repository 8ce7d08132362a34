"""`em config`: run configurations, shown, checked, described and begun."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument, Context, Exit, Option, Typer

from em_cli.errors import ExitStatus
from em_cli.options import Debug, Help, OutFile, ReplaceFile, ShortHelp, grouped
from em_cli.options.help_page import page

config = Typer(help="Run configurations: show, check, schema, init.", suggest_commands=False, add_completion=False)


@config.callback(invoke_without_command=True)
def configurations(context: Context, short_help: ShortHelp = False, long_help: Help = False) -> None:
    if context.invoked_subcommand is None:
        sys.stderr.write(page(context))
        raise Exit(ExitStatus.USAGE)


File = Annotated[str, Argument(metavar="FILE", help="A run configuration in YAML.")]
Overrides = Annotated[list[str] | None, Option("--set", metavar="KEY=VALUE", help="Override a key (repeatable).")]


@config.command()
@grouped
def show(file: File, overrides: Overrides = None, debug: Debug = False) -> None:
    """The resolved configuration, every default filled in."""
    from em_cli.config.resolve import resolve
    from em_cli.config.texts import record
    from em_cli.outputs.folder import write_file

    write_file("-", [record(resolve(file, overrides or [], {}))])


@config.command()
@grouped
def check(file: File, overrides: Overrides = None, debug: Debug = False) -> None:
    """Check a configuration; silent if it is sound."""
    from em_cli.config.resolve import resolve
    from em_cli.criteria import CRITERIA
    from em_cli.runs.configure import check_parts, effort_of, start_file
    from em_cli.runs.search_plan import plan_of

    resolved = resolve(file, overrides or [], {})
    CRITERIA.load(resolved.criterion)
    start = start_file(resolved)
    plan_of(resolved, effort_of(resolved, start), start is not None)
    check_parts(resolved)


@config.command()
@grouped
def schema(
    of: Annotated[
        str,
        Option("--of", metavar="DOCUMENT", help="config, params, selection, events, manifest, topics or haplotypes."),
    ] = "config",
    debug: Debug = False,
) -> None:
    """A JSON Schema of run configurations, or of what runs write.

    Example: em config schema --of params
    """
    from em_cli.config.texts import schema as of_configurations
    from em_cli.errors import UsageError
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.schemas import DOCUMENTS
    from em_cli.outputs.schemas import schema as of_document
    from em_cli.registry import did_you_mean

    if of not in ("config", *DOCUMENTS):
        raise UsageError(f"unknown document --of {of!r}{did_you_mean(of, ['config', *DOCUMENTS])}")
    write_file("-", [of_configurations() if of == "config" else of_document(of)])


@config.command()
@grouped
def init(
    data: Annotated[str, Argument(metavar="DATA", help="The CSV file to name in it.")] = "data.csv",
    out: OutFile = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """A commented configuration to fill in.

    Example: em config init data.csv > run.yaml
    """
    from em_cli.config.texts import template
    from em_cli.runs.output_files import target

    target(out, force)([template(data)])
