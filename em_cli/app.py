"""The program: one line per command; an error becomes a message and an exit status."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.exceptions import TyperException
from typer.main import get_command

from em_cli import __version__, memory
from em_cli.display.text import message as escaped
from em_cli.errors import EmError, ExitStatus, Interrupted, ReaderGone, in_words
from em_cli.options import Help, ShortHelp, as_given
from em_cli.options.help_page import page
from em_cli.options.misuse import no_such_command, no_such_option
from em_cli.printable import say
from em_cli.runs import stdio

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
GARBAGE = (250_000, 20, 50)  # what is imported is none, and would be looked through time and again
LONGEST_MESSAGE = 1500  # characters
INSTALLING = "--install-completion"
COMPLETING = "_EM_COMPLETE"  # set where a shell asks for completions
ASKING = {"-h", "--help", "-V", "--version"}  # options by which nothing is computed

START = """Mixture models for CSV files, fitted by expectation-maximisation.

Start here, with any CSV file:

  em select data.csv --k-range 1-6          how many groups are in it?
  em fit data.csv -k 3 --labelled out.csv   three, and which row is in which
  em show data-k3.em                        the result once more
  em guide                                  explanations, by topic
"""
COMMANDS = {  # each in the module of its name, under the heading of the help
    "Fit": ("fit", "select"),
    "Use a model": ("predict", "score", "impute", "outliers", "sample", "export"),
    "See a run": ("runs", "show", "compare", "bootstrap", "test", "relate", "plot", "report"),
    "Look up": ("guide", "demo", "help", "parts", "doctor", "config"),
}

app = typer.Typer(
    name="em",
    help=START,
    rich_markup_mode=None,
    suggest_commands=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": []},
)


class Commands(Mapping[str, object]):
    """The commands by name, each imported and made where it is asked for: a run needs one of them."""

    def __init__(self) -> None:
        self._headings = {name: heading for heading, names in COMMANDS.items() for name in names}
        self._made: dict[str, object] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name, self._headings[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headings)

    def __len__(self) -> int:
        return len(self._headings)

    @staticmethod
    def _make(name: str, heading: str) -> Any:
        part = getattr(import_module(f"em_cli.commands.{name}"), name)
        if not isinstance(part, typer.Typer):
            part, command = typer.Typer(rich_markup_mode=None, add_completion=False), part
            part.command(name)(command)
        made: Any = get_command(part)
        made.name, made.rich_help_panel = name, heading
        return made


@cache
def program() -> Any:
    """The whole program, which is made once."""
    made: Any = get_command(app)
    made.commands = Commands()
    return made


@app.callback(invoke_without_command=True)
def no_command(
    context: typer.Context,
    short_help: ShortHelp = False,
    long_help: Help = False,
    show_version: bool = typer.Option(False, "-V", "--version", help="The version, and nothing else.", is_eager=True),
) -> None:
    if show_version:
        tell_version()
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(page(context, short=True))
        raise typer.Exit(ExitStatus.USAGE)


def tell_version() -> None:
    print(f"em {__version__}")  # noqa: T201


def main() -> None:
    """Run the program, and end the process with its exit status."""
    for variable in BLAS_THREADS:  # before NumPy is imported: the engine's own threads divide the rows
        os.environ[variable] = "1"
    os.environ["PYDANTIC_DISABLE_PLUGINS"] = "__all__"  # it would look through all packages that are installed
    gc.set_threshold(*GARBAGE)
    memory.leave_out_arrow()
    atexit.register(gc.freeze)  # what is there at the end goes with the process: to look through it takes long
    debug = "--debug" in sys.argv[1:] or os.environ.get("EM_DEBUG", "0") not in ("", "0")
    status: int | str | None = ExitStatus.DONE
    stdio.prepare()
    try:
        if not ASKING & set(sys.argv[1:]):
            memory.check_program()
            stdio.check_open_files()
        try:
            if sys.argv[1:] in (["-V"], ["--version"]):
                tell_version()
            else:
                status = program()(prog_name="em", standalone_mode=False) or ExitStatus.DONE
            if status == ExitStatus.INTERRUPTED:  # Typer has caught a KeyboardInterrupt
                raise KeyboardInterrupt
        finally:
            sys.stdout.flush()
    except SystemExit as ended:
        status = ended.code
    except (Exception, KeyboardInterrupt, Interrupted) as error:
        if debug and not isinstance(error, ReaderGone | KeyboardInterrupt | Interrupted):
            raise
        status = _told(error)
    stdio.settle()
    sys.exit(status)


def _told(error: BaseException) -> ExitStatus:
    """The status of a failure, after what went wrong is said."""
    if isinstance(error, ReaderGone):
        return error.status
    if isinstance(error, KeyboardInterrupt | Interrupted):
        status = error.status if isinstance(error, Interrupted) else ExitStatus.INTERRUPTED
        if COMPLETING in os.environ:  # a word for a shell
            return status
        return _say("interrupted; no result was written.", status)
    if memory.exhausted(error):
        limit = memory.address_limit()
        told = "" if limit is None else f": the limit is {memory.size(limit)} (ulimit -v)"
        return _say(f"error: out of memory{told}. {memory.ADVICE}", ExitStatus.DATA)
    if isinstance(error, EmError):
        return _say(f"error: {error}", error.status)
    if isinstance(error, TyperException):
        return _misused(error)
    if why := _of_the_system(error):
        return _say(f"error: {why}", ExitStatus.OUTPUT)
    return _say(
        f"internal error (a bug in em): {type(error).__name__}: {str(error)[:200]}. "
        "Please report it, with what --debug prints.",
        ExitStatus.INTERNAL,
    )


def _of_the_system(error: BaseException) -> str:
    """What the surroundings lack, where that is the cause; '' where it is not."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{in_words(error)}."
    if isinstance(error, OSError) and INSTALLING in sys.argv[1:]:
        return f"{error.filename} cannot be written: {in_words(error)}. em --show-completion prints what belongs there."
    try:
        os.getcwd()  # noqa: PTH109 (whether it is there)
    except FileNotFoundError:
        return "the working folder has been deleted: paths that begin there lead nowhere. Change to another folder."
    return ""


def _misused(error: TyperException) -> ExitStatus:
    """Options and commands that do not exist, or lack something."""
    context, text = getattr(error, "ctx", None), error.format_message()
    more = ""
    if context is not None:
        more = f" See {context.command_path} --help."
        option, command = getattr(error, "option_name", None), re.match(r"No such command '(.*)'\.$", text, re.DOTALL)
        if option is not None and text.startswith("No such option"):
            text = no_such_option(option, context)
        elif command is not None:
            text = no_such_command(command[1], context)
        elif beyond := re.match(r"Got unexpected extra argument\(s\) \((.*)\)$", text, re.DOTALL):
            text = f"{beyond[1]!r} is more than {context.command_path} takes"
    told = _of_a_value(error) or text
    return _say(f"error: {told}{more}" if told.endswith("?") else f"error: {told.rstrip('.')}.{more}", ExitStatus.USAGE)


def _of_a_value(error: TyperException) -> str:
    """What is wrong with the value of an option, and where it was given; '' if that is not what is wrong."""
    from em_cli.config.value_errors import what_is_wrong

    option, context, wrong = getattr(error, "param", None), getattr(error, "ctx", None), what_is_wrong(error.__cause__)
    if option is None or context is None or not wrong:
        return ""
    return f"{as_given(context, option.name)} {wrong}"


def _say(message: str, status: ExitStatus) -> ExitStatus:
    say(escaped(message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"))
    return status
