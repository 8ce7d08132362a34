"""Runs of several families, fitted once for all tests of pictures."""

from __future__ import annotations

import atexit
import json
import shutil
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from program import SAMPLES, em

from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.picture import drawn, pictures_of
from em_cli.reports.style import LIGHT, Theme
from em_cli.runs.read_back import read_run
from em_cli.runs.read_resampling import certainty_of

QUICK = ("--effort", "low")
ARGUMENTS = {
    "faithful": ("faithful.csv", "-k", 2),
    "galaxies": ("galaxies.csv", "-k", 4),
    "iris": ("iris.csv", "-k", 3, "--exclude", "species"),
    "robust": ("iris.csv", "-k", 2, "--exclude", "species", "--family", "student_t"),
    "factors": ("diabetes.csv", "-k", 2, "--exclude", "patient,class", "--family", "ppca"),
    "penguins": ("penguins.csv", "-k", 3),
    "noisy": ("faithful.csv", "-k", 2, "--noise"),
    "known": ("diabetes.csv", "-k", 3, "--exclude", "patient", "--labels", "class"),
    "wind": (
        "wind.csv", "-k", 3, "--type", "direction=von_mises:360", "--type", "speed [m/s]=gamma",
        "--type", "gusts$_per_day$=negative_binomial", "--type", "cover=beta", "--weights", "weight",
    ),
    "quakes": ("earthquakes.csv", "-k", 2, "--columns", "count", "--latent", "markov"),
    "lines": (
        "penguins.csv", "-k", 2, "--response", "body_mass_g", "--on", "flipper_length_mm,sex", "--missing", "drop",
        "--group", "island",
    ),
    "answers": ("answers.csv", "-k", 2),
    "broad": ("broad.csv", "-k", 5, "--covariance", "diag"),
    "money": ("money.csv", "-k", 2, "--type", "spend=lognormal"),
    "alone": ("money.csv", "-k", 1, "--type", "spend=lognormal"),
    "games": ("games.csv", "-k", 2, "--type", "wins=binomial:games"),
}  # fmt: skip


@cache
def home() -> Path:
    """A folder with the data, and the runs beside them."""
    folder = Path(mkdtemp(prefix="em-pictures-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for file in SAMPLES.glob("*.csv"):
        (folder / file.name).write_bytes(file.read_bytes())
    rng = np.random.default_rng(1)
    z = rng.integers(0, 3, 300)
    direction = np.degrees(rng.vonmises(np.array([1.0, 3.5, 5.2])[z] - np.pi, 6) + np.pi) % 360
    speed, gusts = rng.gamma(2 + 4 * z, 1.0), rng.negative_binomial(3, 0.2 + 0.2 * z)
    cover, weight = rng.beta(2 + 3 * z, 5), rng.integers(0, 4, 300)
    lines = [
        f"{a:.1f},{b:.3f},{c},{d:.4f},{w}" for a, b, c, d, w in zip(direction, speed, gusts, cover, weight, strict=True)
    ]
    (folder / "wind.csv").write_text("\n".join(["direction,speed [m/s],gusts$_per_day$,cover,weight", *lines]) + "\n")
    games = rng.integers(5, 15, 200)
    wins = rng.binomial(games, np.where(rng.random(200) < 0.5, 0.2, 0.7))
    (folder / "games.csv").write_text("\n".join(["wins,games", *map("{},{}".format, wins, games)]) + "\n")
    z = rng.integers(0, 2, 150)
    answers = rng.random((150, 5)) < np.where(z[:, None] == 0, 0.2, 0.8)
    lines = [",".join("yes" if answer else "no" for answer in row) for row in answers]
    (folder / "answers.csv").write_text("\n".join([",".join(f"item {i}" for i in range(1, 6)), *lines]) + "\n")
    z = rng.integers(0, 5, 200)
    broad = 4 * rng.normal(size=(5, 13))[z] + rng.normal(size=(200, 13))
    np.savetxt(folder / "broad.csv", broad, "%.3f", ",", header=",".join(f"m{i}" for i in range(13)), comments="")
    z = rng.integers(0, 2, 200)
    money = np.stack([np.exp(rng.normal(3 + 2.5 * z, 1.0)), rng.normal(30 + 20 * z, 5)], axis=1)
    np.savetxt(folder / "money.csv", money, "%.3f", ",", header="spend,age", comments="")
    return folder


@cache
def fitted(name: str) -> Path:
    """The run folder."""
    quick = ("--restarts", 4) if name == "known" else QUICK
    em("fit", *ARGUMENTS[name], *quick, "-q", "--out", f"{name}.em", cwd=home())
    return home() / f"{name}.em"


@cache
def swept() -> Path:
    em(
        "select",
        "faithful.csv",
        "--k-range",
        "1-4",
        "--covariance",
        "full,tied",
        *QUICK,
        "-q",
        "--out",
        "s.em",
        cwd=home(),
    )
    return home() / "s.em"


@cache
def certain() -> Path:
    """A run of two components that was resampled, and tested against one and three."""
    folder = shutil.copytree(fitted("faithful"), home() / "certain.em")
    em("bootstrap", "certain.em", "-B", 40, "--searched", 0, "-q", cwd=home())
    drawn = [float(value) for value in 4 + 4 * np.random.default_rng(0).chisquare(2, 19)]
    first = {"k0": 1, "k1": 2, "statistic": 319.1, "replicates": 19, "exceed": 0, "p": 0.05, "drawn": drawn}
    second = first | {"k0": 2, "k1": 3, "statistic": 12.0, "exceed": sum(value >= 12 for value in drawn), "p": 0.3}
    (folder / "tests.json").write_text(json.dumps({"tests": [first, second]}))
    return folder


@cache
def run(name: str) -> FinishedRun:
    if name == "certain":
        found = read_run(str(certain()), [str(home() / "faithful.csv")])
        return replace(found, certainty=certainty_of(certain()))
    folder = swept() if name == "swept" else fitted(name)
    return read_run(str(folder), [str(home() / ARGUMENTS.get(name, ("faithful.csv",))[0])])


def picture(name: str, kind: str, columns: Sequence[str] = ()) -> Picture:
    (found,) = pictures_of(run(name), [kind], columns)
    return found


@contextmanager
def figure(name: str, kind: str, columns: Sequence[str] = (), theme: Theme = LIGHT):
    with drawn(picture(name, kind, columns), theme) as made:
        yield made
