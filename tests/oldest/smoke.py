"""A smoke test of the program with the lowest versions of its libraries: every command once, every kind of file."""

import json
import os
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from lowest import ROOT, lowest

sys.path.insert(0, str(ROOT / "tests"))

from program import SAMPLES, in_process

BIC = 2322.192  # of two Gaussian components on the Old Faithful data


def em(*arguments: object) -> str:
    """What a command prints; it must end well."""
    outcome = in_process([str(argument) for argument in arguments])
    if outcome.status:
        sys.exit(f"em {' '.join(map(str, arguments))}\nended with {outcome.status}: {outcome.err}")
    return outcome.out


def check_versions() -> None:
    """They are those that were meant, as far as they are written out."""
    for name, wanted in lowest().items():
        if [*map(int, version(name).split(".")), 0, 0][:3] != [*map(int, wanted.split(".")), 0, 0][:3]:
            sys.exit(f"{name} {version(name)} is installed, and {wanted} is to be tried.")


def check_program() -> None:
    """Every command once."""
    data = SAMPLES / "faithful.csv"
    fitted = json.loads(em("fit", data, "-k", 2, "--restarts", 2, "--out", "two.em", "--report"))
    if abs(fitted["bic"] - BIC) > 1e-3:
        sys.exit(f"the BIC is {fitted['bic']}, and should be {BIC}.")
    em("select", SAMPLES / "penguins.csv", "--k-range", "1-2", "--restarts", 2, "--out", "chosen.em")
    em("predict", "two.em", data, "--out", "labelled.csv")
    em("score", "two.em", data)
    em("sample", "chosen.em", "-n", 20)
    em("impute", "chosen.em", SAMPLES / "penguins.csv", "--out", "complete.csv")
    em("outliers", "chosen.em")
    em("export", "two.em", "--to", "onnx", "--out", "two.onnx")
    em("export", "two.em", "--to", "excel", "--out", "two.xlsx")
    for arguments in (("show", "two.em"), ("show", "two.em", "--audit"), ("parts",), ("guide",), ("help", "fit")):
        em(*arguments)
    em("config", "schema")


def check_files() -> None:
    """Those that need an extra: kinds of files, and addresses."""
    import fsspec
    import pandas as pd
    import zstandard

    table = pd.read_csv(SAMPLES / "faithful.csv")
    table.to_parquet("rows.parquet")
    table.to_feather("rows.feather")
    Path("rows.csv.zst").write_bytes(zstandard.compress((SAMPLES / "faithful.csv").read_bytes()))
    with fsspec.open("memory://rows.csv", "wb") as file:
        file.write((SAMPLES / "faithful.csv").read_bytes())
    names = ("rows.parquet", "rows.feather", "rows.csv.zst", "memory://rows.csv")
    totals = {em("score", "two.em", name) for name in names}
    for scheme in ("http", "s3", "gs"):  # libraries that can be imported together
        fsspec.get_filesystem_class(scheme)
    if totals != {em("score", "two.em", SAMPLES / "faithful.csv")}:
        sys.exit(f"the same rows are not the same in every kind of file: {totals}")


if __name__ == "__main__":
    check_versions()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        check_program()
        check_files()
