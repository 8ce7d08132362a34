"""The program: one line per command; an error becomes a message and an exit status."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import typer

from em_cli import __version__
from em_cli.commands.config import config
from em_cli.commands.fit import fit
from em_cli.commands.impute import impute
from em_cli.commands.parts import parts
from em_cli.commands.predict import predict
from em_cli.commands.sample import sample
from em_cli.commands.score import score
from em_cli.commands.select import select
from em_cli.commands.show import show
from em_cli.errors import EmError, ExitStatus, ReaderGone

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")

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
app.command()(show)
app.command()(parts)
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
    try:
        app()
    except ReaderGone as gone:
        status = gone.status
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is still buffered goes nowhere
    except EmError as error:
        if debug:
            raise
        status = _say("error: " + str(error).replace("\n", "\n    "), error.status)
    except KeyboardInterrupt:
        status = _say("interrupted; nothing was written.", ExitStatus.INTERRUPTED)
    except MemoryError:
        status = _say("error: out of memory. Use fewer columns, a smaller -k, or fewer --restarts.", ExitStatus.DATA)
    except Exception as error:
        if debug:
            raise
        status = _say(
            f"a fault of ours: {type(error).__name__}: {str(error)[:200]}. Please report it, with what --debug prints.",
            ExitStatus.INTERNAL,
        )
    sys.exit(int(status))


def _say(message: str, status: ExitStatus) -> ExitStatus:
    if sys.stderr is not None:  # it may have been closed
        with suppress(OSError):
            sys.stderr.write(f"em: {message}\n")
            sys.stderr.flush()
    return status
