"""The program: one line per command; an error becomes a message and an exit status."""

from __future__ import annotations

import errno
import os
import sys

import typer
from typer.exceptions import TyperException

from em_cli import __version__, memory
from em_cli.commands.bootstrap import bootstrap
from em_cli.commands.compare import compare
from em_cli.commands.config import config
from em_cli.commands.fit import fit
from em_cli.commands.guide import guide
from em_cli.commands.help import help
from em_cli.commands.impute import impute
from em_cli.commands.outliers import outliers
from em_cli.commands.parts import parts
from em_cli.commands.plot import plot
from em_cli.commands.predict import predict
from em_cli.commands.report import report
from em_cli.commands.runs import runs
from em_cli.commands.sample import sample
from em_cli.commands.score import score
from em_cli.commands.select import select
from em_cli.commands.show import show
from em_cli.display.text import message as escaped
from em_cli.errors import EmError, ExitStatus, Interrupted, ReaderGone, in_words
from em_cli.options import as_given
from em_cli.runs import stdio

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
LONGEST_MESSAGE = 1500  # characters
ASKING = {"-h", "--help", "--version"}  # options by which nothing is computed

app = typer.Typer(
    name="em",
    help="Mixture models for CSV files, fitted by expectation-maximisation.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(fit)
app.command()(select)
app.command()(predict)
app.command()(score)
app.command()(sample)
app.command()(impute)
app.command()(outliers)
app.command()(compare)
app.command()(bootstrap)
app.command()(runs)
app.command()(show)
app.command()(plot)
app.command()(report)
app.command()(parts)
app.command()(guide)
app.command()(help)
app.add_typer(config, name="config")


@app.callback(invoke_without_command=True)
def version(
    show_version: bool = typer.Option(False, "--version", help="The version, and nothing else.", is_eager=True),
) -> None:
    """Mixture models for CSV files, fitted by expectation-maximisation."""
    if show_version:
        print(f"em {__version__}")  # noqa: T201
        raise typer.Exit


def main() -> None:
    """Run the program, and end the process with its exit status."""
    for variable in BLAS_THREADS:  # before NumPy is imported: the engine's own threads divide the rows
        os.environ[variable] = "1"
    debug = "--debug" in sys.argv[1:] or os.environ.get("EM_DEBUG", "0") not in ("", "0")
    status: int | str | None = ExitStatus.DONE
    stdio.prepare()
    try:
        if not ASKING & set(sys.argv[1:]):
            memory.check_program()
            stdio.check_open_files()
        try:
            status = app(standalone_mode=False) or ExitStatus.DONE
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
        f"a fault of ours: {type(error).__name__}: {str(error)[:200]}. Please report it, with what --debug prints.",
        ExitStatus.INTERNAL,
    )


def _of_the_system(error: BaseException) -> str:
    """What the surroundings lack, where that is the cause; '' where it is not."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return f"{in_words(error)}."
    try:
        os.getcwd()  # noqa: PTH109 (whether it is there)
    except FileNotFoundError:
        return "the working folder has been deleted: paths that begin there lead nowhere. Change to another folder."
    return ""


def _misused(error: TyperException) -> ExitStatus:
    """Options that do not exist, or lack something; of a group of commands without a command, its help."""
    context = getattr(error, "ctx", None)
    text = error.format_message()
    if context is not None and text == context.get_help():
        sys.stderr.write(f"{text}\n")
        return ExitStatus.USAGE
    more = f" See {context.command_path} --help." if context is not None else ""
    return _say(f"error: {(_of_a_value(error) or text).rstrip('.')}.{more}", ExitStatus.USAGE)


def _of_a_value(error: TyperException) -> str:
    """What is wrong with the value of an option, and where it was given; '' if that is not what is wrong."""
    from em_cli.config.value_errors import what_is_wrong

    option, context, wrong = getattr(error, "param", None), getattr(error, "ctx", None), what_is_wrong(error.__cause__)
    if option is None or context is None or not wrong:
        return ""
    return f"{as_given(context, option.name)} {wrong}"


def _say(message: str, status: ExitStatus) -> ExitStatus:
    told = message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"
    sys.stderr.write(f"em: {escaped(told)}\n")
    return status
