"""The help of a command: short by -h, whole by --help, and as a manual page."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from textwrap import fill
from typing import Annotated, Any

from typer import Context, Exit, Option

NARROWEST, WIDEST = 20, 100  # characters
MOST_SHORT = 10  # options
GENERAL = "Options"  # where none of the groups says otherwise
FIRST = (
    *("outcome", "many"),  # of relate, bootstrap and test
    *("k", "columns", "exclude", "id", "types", "family", "covariance", "criterion", "append", "draws", "n", "alpha"),
    *("kind", "rows", "out", "labelled", "report", "json", "format", "every", "delimiter", "decimal", "na", "force"),
    "on",  # of relate
)  # options that most people need, in this order

START_HELP = "em --help says what each does, em COMMAND -h how it is called."

Rows = Sequence[tuple[str, str]]
AnyContext = Any  # of a command, as Typer makes it: its class is not to be had by name


def _asked(short: bool) -> Any:
    def show(context: Context, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            sys.stdout.write(page(context, short))
            raise Exit

    return show


Help = Annotated[bool, Option("--help", help="All options.", callback=_asked(False), is_eager=True, expose_value=False)]
ShortHelp = Annotated[
    bool,
    Option("-h", help="The options that most people need.", callback=_asked(True), is_eager=True, expose_value=False),
]


def page(context: AnyContext, short: bool = False) -> str:
    """What a command does and how it is called; its options under their headings."""
    width = max(NARROWEST, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))
    usage = fill(f"Usage: {context.command_path} {_usage(context)}", width, subsequent_indent=" " * 10)
    parts = [usage, _told(context.command.help or "", width)]
    if short and context.parent is None:
        return "\n\n".join([*parts, _laid_out(_commands(context), width), START_HELP]) + "\n"
    for heading, rows in _sections(context, short).items():
        parts.append(f"{heading}:\n{_laid_out(rows, width)}")
    if short:
        parts.append(f"{context.command_path} --help lists all options, em guide the topics of the guide.")
    return "\n\n".join(parts) + "\n"


def _commands(context: AnyContext) -> Rows:
    """The names of all commands, by heading."""
    found: dict[str, list[str]] = {}
    for name, command in context.command.commands.items():
        found.setdefault(command.rich_help_panel or "Commands", []).append(name)
    return [(heading, ", ".join(names)) for heading, names in found.items()]


def _usage(context: AnyContext) -> str:
    arguments = [_argument(one) for one in context.command.params if one.param_type_name == "argument"]
    return " ".join(["[OPTIONS]", *arguments, *(["COMMAND …"] if getattr(context.command, "commands", None) else [])])


def _argument(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required or name.startswith("[") else f"[{name}]"


def _told(text: str, width: int) -> str:
    """Paragraphs; the lines of one that is set in stay as they are."""
    found = []
    for paragraph in _paragraphs(text):
        as_is = paragraph.startswith("  ") or "\n  " in paragraph
        lines = paragraph.splitlines() if as_is else fill(" ".join(paragraph.split()), width - 2).splitlines()
        found.append("\n".join(f"  {line}" for line in lines))
    return "\n\n".join(found)


def _paragraphs(text: str) -> list[str]:
    return [paragraph.strip("\n") for paragraph in text.replace("\b\n", "").strip("\n").split("\n\n")]


def _sections(context: AnyContext, short: bool) -> Mapping[str, Rows]:
    """Commands, arguments and options under their headings: of the options the first, if the page is to be short."""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, command in getattr(context.command, "commands", {}).items():
        heading = getattr(command, "rich_help_panel", None) or "Commands"
        found.setdefault(heading, []).append((name, command.get_short_help_str(limit=WIDEST)))
    options = [one for one in context.command.get_params(context) if one.param_type_name == "option"]
    every = context.command.get_params(context)
    arguments = [one for one in every if one.param_type_name == "argument" and not short]
    wanted = _first(options) if short else options
    for parameter in [*arguments, *wanted]:
        is_argument = parameter.param_type_name == "argument"
        record = (_argument(parameter), parameter.help or "") if is_argument else parameter.get_help_record(context)
        if record is not None:
            found.setdefault(_heading(parameter, short), []).append(record)
    general = found.pop(GENERAL, None)  # last, where --help stands
    return found | ({GENERAL: general} if general else {})


def _heading(parameter: Any, short: bool) -> str:
    if parameter.param_type_name == "argument":
        return "Arguments"
    return GENERAL if short else getattr(parameter, "rich_help_panel", None) or GENERAL


def _first(options: Sequence[Any]) -> list[object]:
    """Those that most people need, and --help."""
    named = {option.name: option for option in options}
    if len(options) <= MOST_SHORT + 2:
        return list(options)
    chosen = [named[name] for name in FIRST if name in named][:MOST_SHORT]
    return [*chosen, *(option for option in options if "--help" in option.opts)]


def _laid_out(rows: Rows, width: int) -> str:
    """Two columns; what is too long for the first has a line to itself."""
    first = min(max(len(left) for left, _ in rows), width // 3) + 4
    lines = []
    for left, right in rows:
        told = fill(right, width, initial_indent=" " * first, subsequent_indent=" " * first) if right else ""
        begin = f"  {left}"
        if len(begin) + 2 <= first:
            lines.append((begin.ljust(first) + told[first:]).rstrip())
        else:
            lines += [begin, *([told] if told else [])]
    return "\n".join(lines)


def contexts(context: AnyContext) -> Iterator[tuple[str, AnyContext]]:
    """That of a command and of all below it, by the names of their manual pages."""
    yield context.command_path.replace(" ", "-"), context
    for name, command in getattr(context.command, "commands", {}).items():
        if not command.hidden:
            yield from contexts(command.make_context(name, [], parent=context, resilient_parsing=True))


def manual(context: AnyContext, version: str) -> str:
    """The same as a manual page, in the language of man."""
    command, name = context.command, context.command_path.replace(" ", "-")
    sentence = _paragraphs(command.help or "")[0]
    usage = _usage(context)
    lines = [f'.TH "{name.upper()}" "1" "" "em {version}" "User Commands"', ".SH NAME"]
    lines += [_roff(f"{name} - {' '.join(sentence.split()).rstrip('.')}"), ".SH SYNOPSIS"]
    lines += [f"\\fB{_roff(context.command_path)}\\fR {_roff(usage)}", ".SH DESCRIPTION"]
    for paragraph in _paragraphs(command.help or ""):
        lines += [".PP", *([".nf"] if "\n  " in f"\n{paragraph}" else [])]
        lines += [_roff(line.strip()) for line in paragraph.splitlines()]
        lines += [".fi"] if ".nf" in lines[-len(paragraph.splitlines()) - 1 :] else []
    for heading, rows in _sections(context, False).items():
        lines.append(f".SH {heading.upper()}")
        for left, right in rows:
            lines += [".TP", f"\\fB{_roff(left)}\\fR", _roff(right)]
    lines += [".SH SEE ALSO", _roff("em help, em guide: the pages of the guide by topic")]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """Text that roff prints as it stands."""
    told = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{told}" if told[:1] in (".", "'") else told
