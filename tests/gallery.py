"""The examples of the guide with pictures of what they find, for the site: `gallery.py build/docs` (make site)."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "em_cli" / "guide" / "examples.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)
SHOWN = {  # the first words of an example: its pictures, of a run or files
    "Which rows are odd": [("air.em", "pairs", "Two kinds of day, by wind, temperature, sun and ozone")],
    "Which kinds of customers": [("segments.em", "profile", "The means of three segments")],
    "Who answers alike": [("classes.em", "items", "The share of yes in each class")],
    "In which regime": [("regimes.em", "states", "Months of the calm state and of the nervous one")],
    "What may a customer": [("tastes.em", "terms", "The products that tell the tastes apart")],
    "What stands in the cells": [("records.em", "pairs", "Two kinds of patient, known cells only")],
    "Which haplotypes": [("haplotypes.em", "haplotypes", "Frequencies of the haplotypes, and their alleles")],
    "Which pixels": [
        ("sample_data/scene.png", None, "The picture"),
        ("segments.png", None, "Its pixels in the mean colours of four components"),
    ],
}
WIDEST = 360  # pixels that a small picture is blown up to


def sections(page: str) -> list[str]:
    """What stands above the first example, and then each of them."""
    first, *rest = page.split("\n## ")
    return [first, *(f"## {text}" for text in rest)]


def pictures_of(section: str) -> list[tuple[str, str | None, str]]:
    (found,) = [own for begin, own in SHOWN.items() if section.startswith(f"## {begin}")]
    return found


def run(commands: str, folder: Path) -> None:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-o", "pipefail"],
        input=commands,
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(f"{commands}\n{done.stderr}")


def drawn(section: str, folder: Path, docs: Path) -> str:
    """The example, which is run, with its pictures below."""
    for commands in BLOCK.findall(section):
        run(commands, folder)
    shown = []
    for source, kind, caption in pictures_of(section):
        if kind is None:
            name, wide = Path(source).name, f' width="{WIDEST}" style="image-rendering: pixelated"'
            shutil.copy(folder / source, docs / name)
        else:
            name, wide = f"{Path(source).stem}-{kind}.png", ""
            run(f"em plot {source} --kind {kind} --dpi 120 --title none --force --out drawn", folder)
            shutil.copy(folder / "drawn" / f"{kind}.png", docs / name)
        shown.append(f'<figure><img src="{name}" alt="{caption}"{wide}><figcaption>{caption}.</figcaption></figure>')
    return "\n\n".join([section.rstrip("\n"), *shown]) + "\n"


def main(docs: Path) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "bin").mkdir()
        for name, arguments in (("em", "-m em_cli "), ("python3", "")):
            program = folder / "bin" / name
            program.write_text(f'#!/bin/sh\nexec {sys.executable} {arguments}"$@"\n')
            program.chmod(0o755)
        (folder / "sample_data").symlink_to(ROOT / "sample_data")
        first, *examples = sections(EXAMPLES.read_text("utf-8"))
        text = "\n".join([first, *(drawn(section, folder, docs) for section in examples)])
    (docs / "examples.md").write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
