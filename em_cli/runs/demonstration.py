"""The demonstration: a few commands on data that come with the program, shown and run one by one."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from em_cli.errors import OutputError
from em_cli.outputs.folder import explained, write_file, write_files

DATA = "faithful.csv"
COMMANDS = (
    ("How many kinds of eruption are there?", ("select", DATA, "--k-range", "1-4")),
    ("Two. Which eruption is of which kind?", ("fit", DATA, "-k", "2", "--labelled", "labelled.csv")),
)
HUMAN = ("--format", "human")  # as on a terminal, wherever it goes
PAGE = ("Everything on one page, with pictures:", ("report", "faithful-k2.em", "--out", "faithful.html"))


def demonstrate(folder: str, force: bool) -> None:
    """Write the data into the folder and run the commands there; `OutputError` if there is something else."""
    place = Path(folder)
    with explained(folder):
        taken = place.exists() and any(place.iterdir() if place.is_dir() else (place,))
    if taken and not force:
        raise OutputError(f"{folder} is there already. Name another folder, as in em demo DIR, or give --force.")
    write_files(folder, {DATA: [_data()]})
    drawn = find_spec("matplotlib") is not None
    for title, arguments in (*COMMANDS, PAGE) if drawn else COMMANDS:
        own = arguments if sys.stdout.isatty() or arguments == PAGE[1] else (*arguments, *HUMAN)
        write_file("-", [f"\n# {title}\n$ em {' '.join(own)}\n"])
        done = subprocess.run([sys.executable, "-m", "em_cli", *own, "--force"], cwd=place)
        if done.returncode:
            raise SystemExit(done.returncode)
    write_file("-", [_further(folder, drawn)])


def _data() -> bytes:
    """From the installed program, or from the folder that it is developed in."""
    own = files("em_cli") / "sample_data" / DATA
    return own.read_bytes() if own.is_file() else (Path(__file__).parents[2] / "sample_data" / DATA).read_bytes()


def _further(folder: str, drawn: bool) -> str:
    lines = [
        ("em select your.csv --k-range 1-6", "the same with a file of your own"),
        (f"{folder}/faithful.html", "all of it, to open in a browser")
        if drawn
        else ('pip install "em-cli[plots]"', "for pictures and reports"),
        (f"em export {folder}/faithful-k2.em --to sql", "the model in SQL, for a database"),
        ("em guide", "explanations, by topic"),
    ]
    wide = max(len(command) for command, _ in lines)
    return "\n# What next?\n" + "".join(f"{command:<{wide}}   {meaning}\n" for command, meaning in lines)
