"""Two source trees beside each other: do the same runs give the same bytes?

`same_bytes.py OLD NEW` runs every case below with both trees, one process at a time on one thread,
and compares what they wrote: the results (`params.json`, `responsibilities.csv`, `selection.csv` and
what predict, score, sample and impute print) and the account of the search (`trace.csv` and
`restarts.csv`). It prints a line for each case and ends with status 1 where anything differs. The data
are those of OLD, and some that are made here.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ACCOUNT = ("trace.csv", "restarts.csv")
COMPARED = ("params.json", "responsibilities.csv", "selection.csv", *ACCOUNT)
IGNORED = ("em_version",)
FRESH = 20_261  # seed of the rows that are made here
RUN = "run.em"  # the folder that a case may write; later commands read it
DONE = "status"  # of a case, written last


@dataclass(frozen=True)
class Case:
    name: str
    fit: str  # arguments, parted by blanks
    after: tuple[str, ...] = ()  # commands on the run: predict, score, sample, impute

    @property
    def commands(self) -> list[list[str]]:
        return [[*self.fit.split(), "--out", RUN, "-q", "--json"], *(text.split() for text in self.after)]


SPECIES = "sample_data/iris.csv --exclude species"
PATIENTS = "sample_data/diabetes.csv --exclude patient,class"
CULTIVARS = "reference/wine.csv --exclude cultivar"
CASES = (
    Case(
        "full",
        "fit sample_data/faithful.csv -k 3",
        (
            f"predict {RUN} reference/faithful.csv",
            f"score {RUN} reference/faithful.csv",
            f"score {RUN} reference/faithful.csv --rows",
            f"sample {RUN} -n 100 --seed 3 --labels",
        ),
    ),
    Case("tied", f"fit {SPECIES} -k 3 --covariance tied --seed 5"),
    Case("diag", f"fit {PATIENTS} -k 3 --covariance diag"),
    Case("EVE", f"fit {PATIENTS} -k 3 --covariance EVE"),
    Case("one column", "fit sample_data/galaxies.csv -k 4 --covariance tied"),
    Case("low effort", f"fit {CULTIVARS} -k 2 --effort low"),
    Case("high effort", "fit sample_data/galaxies.csv -k 3 --effort high"),
    Case("select structures", "select sample_data/faithful.csv --k-range 1-4 --covariance full,tied,EEV,spherical"),
    Case("select all structures", f"select {SPECIES} --k-range 2 --covariance all --effort low"),
    Case("select by ICL", "select sample_data/galaxies.csv --k-range 1-5 --criterion icl --covariance full,tied"),
    Case("select families", f"select {PATIENTS} --k-range 2-3 --family gaussian,student_t --effort low"),
    Case("select counts", "select made/overdispersed.csv --k-range 1-3 --family poisson,negative_binomial"),
    Case("student t", f"fit {PATIENTS} -k 3 --family student_t", (f"predict {RUN} sample_data/diabetes.csv",)),
    Case("student t, common dof", f"fit {SPECIES} -k 2 --family student_t --set family.dof=common --covariance tied"),
    Case("factor analyzers", f"fit {CULTIVARS} -k 2 --family factor_analyzers --effort low", (f"sample {RUN} -n 20",)),
    Case("ppca", f"fit {CULTIVARS} -k 3 --family ppca --set family.n_factors=3 --effort low"),
    Case(
        "missing cells",
        "fit sample_data/airquality.csv -k 2 --columns ozone,solar_r,wind,temp",
        (
            f"predict {RUN} sample_data/airquality.csv",
            f"impute {RUN} sample_data/airquality.csv",
            f"score {RUN} sample_data/airquality.csv",
        ),
    ),
    Case("missing cells, EEV", "fit made/holes.csv -k 3 --covariance EEV --effort low"),
    Case("missing cells, diagonal", "fit made/holes.csv -k 3 --covariance diag"),
    Case("rows dropped", "fit sample_data/airquality.csv -k 2 --columns ozone,solar_r,temp --missing drop"),
    Case("frequency weights", "fit reference/titanic_freq.csv -k 2 --weights freq"),
    Case("sampling weights", "fit made/weighted.csv -k 2 --weights w --weight-type sampling"),
    Case("labels", "fit sample_data/diabetes.csv -k 3 --exclude patient --labels class"),
    Case("noise", "fit made/littered.csv -k 2 --noise", (f"predict {RUN} made/littered.csv",)),
    Case("equal weights", f"fit {SPECIES} -k 3 --set mixing_weights=equal"),
    Case("weak prior", f"fit {SPECIES} -k 4 --prior weak --effort low"),
    Case("fixed means", "fit sample_data/faithful.csv -k 2 --family gaussian --set family.means=[[2,55],[4.3,80]]"),
    Case("start from a file", "fit sample_data/six.csv -k 2 --start sample_data/six_start.json --algorithm em"),
    Case("restarts, em", "fit sample_data/faithful.csv -k 3 --restarts 8 --algorithm em"),
    Case("restarts, squarem", f"fit {SPECIES} -k 3 --restarts 6 --algorithm squarem --start kmeans"),
    Case("poisson", "fit sample_data/deaths.csv -k 2 --family poisson", (f"sample {RUN} -n 50",)),
    Case("negative binomial", "fit made/overdispersed.csv -k 2 --family negative_binomial"),
    Case("zero-inflated", "fit made/zeros.csv -k 2 --family zero_inflated_poisson"),
    Case("latent classes", "fit reference/carcinoma.csv -k 3", (f"predict {RUN} reference/carcinoma.csv",)),
    Case(
        "categories, missing",
        "fit reference/cheating.csv -k 2 --family categorical",
        (f"impute {RUN} reference/cheating.csv",),
    ),
    Case("binomial", "fit reference/saxony.csv -k 2 --type males=binomial:total"),
    Case("multinomial", "fit made/ballots.csv -k 3 --family multinomial"),
    Case("gamma", "fit made/positive.csv -k 2 --family gamma"),
    Case("lognormal", "fit made/positive.csv -k 2 --family lognormal"),
    Case("weibull", "fit made/positive.csv -k 2 --family weibull"),
    Case("exponential", "fit made/positive.csv -k 2 --family exponential"),
    Case("beta", "fit made/proportions.csv -k 2 --family beta"),
    Case("von Mises", "fit made/angles.csv -k 2 --type a=von_mises:360 --type b=von_mises:360"),
    Case("mixed types", "fit sample_data/penguins.csv -k 3 --effort low", (f"impute {RUN} sample_data/penguins.csv",)),
    Case("typed columns", "fit sample_data/penguins.csv -k 2 --type body_mass_g=lognormal --exclude island,sex"),
    Case("groups", "fit -c made/groups.yaml"),
    Case("many rows", "fit made/long.csv -k 3 --effort low"),
    Case("many rows, restarts", "fit made/long.csv -k 2 --covariance tied --restarts 4"),
    Case("wide", "fit made/wide.csv -k 3 --covariance diag --effort low"),
    Case("wide, restarts", "fit made/wide.csv -k 2 --covariance tied --restarts 3"),
    Case("config airquality", "select -c configs/airquality_missing.yaml"),
    Case("config deaths", "fit -c configs/deaths_counts.yaml"),
    Case("config earthquakes", "fit -c configs/earthquakes_mixed.yaml"),
    Case("config faithful", "fit -c configs/faithful.yaml"),
    Case("config iris", "select -c configs/iris_select.yaml --effort low"),
)  # fmt: skip

GROUPS = """\
data: {path: sample_data/penguins.csv, exclude: [island, sex, species]}
k: 2
groups:
  - {columns: [bill_length_mm, bill_depth_mm], family: gaussian, covariance: diag}
  - {columns: [body_mass_g, flipper_length_mm], family: student_t}
search: {effort: low}
"""


def write_rows(path: Path, columns: dict[str, Any]) -> None:
    """Write columns of equal length as CSV, NaN as an empty cell."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for cells in zip(*columns.values(), strict=True):
            writer.writerow("" if value != value else value for value in cells)


def make_data(folder: Path) -> None:
    """Files of kinds that the sample data lack: the same ones at every call."""
    rng = np.random.default_rng(FRESH)
    half = np.repeat([0, 1], 150)

    def lettered(x: Any) -> dict[str, Any]:
        return {f"x{i}": column.round(4) for i, column in enumerate(np.asarray(x).T)}

    group = rng.integers(3, size=240)
    holes = rng.normal(size=(240, 3)) + 3 * group[:, None] * [1, -1, 0.5]
    holes[rng.random(holes.shape) < 0.15] = np.nan
    write_rows(folder / "holes.csv", lettered(holes))
    pair = rng.normal(size=(300, 2)) + 3 * half[:, None]
    write_rows(folder / "weighted.csv", lettered(pair) | {"w": rng.gamma(2, size=300).round(2) + 0.1})
    write_rows(folder / "littered.csv", lettered(np.vstack([pair, rng.uniform(-9, 12, (40, 2))])))
    shape, scale = np.where(half, 3.0, 9.0), np.where(half, 4.0, 0.3)
    write_rows(folder / "positive.csv", {c: (rng.gamma(shape) * scale).round(4) + 0.001 for c in "ab"})
    write_rows(folder / "proportions.csv", {c: rng.beta(shape, 12 - shape).round(5) for c in "ab"})
    write_rows(folder / "angles.csv", {c: (np.rad2deg(rng.vonmises(half * 2.0, 4)) % 360).round(2) for c in "ab"})
    write_rows(folder / "overdispersed.csv", {c: rng.poisson(rng.gamma(2, 1 + 4 * half)) for c in "ab"})
    write_rows(folder / "zeros.csv", {c: rng.poisson(2 + 5 * half) * (rng.random(300) < 0.7) for c in "ab"})
    shares = np.array([[0.6, 0.3, 0.1], [0.1, 0.5, 0.4], [0.3, 0.1, 0.6]])
    ballots = [rng.multinomial(int(rng.integers(5, 30)), shares[g]) for g in group]
    write_rows(folder / "ballots.csv", dict(zip("abc", np.array(ballots).T, strict=True)))
    third = rng.integers(3, size=24_000)
    spread = 1 + 0.5 * third[:, None]
    write_rows(folder / "long.csv", lettered(rng.normal(size=(24_000, 2)) * spread + 4 * third[:, None] * [1, -0.5]))
    centres = rng.normal(size=(3, 60))
    write_rows(folder / "wide.csv", lettered(rng.normal(size=(300, 60)) + 1.2 * centres[rng.integers(3, size=300)]))
    (folder / "groups.yaml").write_text(GROUPS, encoding="utf-8")


def perform(case: Case, tree: Path, folder: Path, data: dict[str, Path]) -> float:
    """Run the commands of a case in a folder of its own; the seconds of CPU that they took.

    What they print goes to files beside the run folder, their statuses to one that is written last.
    """
    folder.mkdir(parents=True)
    for name, target in data.items():
        (folder / name).symlink_to(target)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("EM_")} | {
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    before, statuses = resource.getrusage(resource.RUSAGE_CHILDREN), []
    for number, command in enumerate(case.commands):
        done = subprocess.run(
            [sys.executable, "-m", "em_cli", *command], cwd=folder, env=environment, capture_output=True
        )
        (folder / f"{number} {command[0]}.err").write_bytes(done.stderr)
        if number > 0:
            (folder / f"{number} {command[0]}.out").write_bytes(done.stdout)
        statuses.append(done.returncode)
        if done.returncode:
            break
    (folder / DONE).write_text(" ".join(map(str, statuses)), encoding="utf-8")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def written(folder: Path) -> dict[str, bytes]:
    """What of a case is compared, by name."""
    paths = [folder / DONE, *sorted(folder.glob("*.out")), *(folder / RUN / name for name in COMPARED)]
    return {path.name: path.read_bytes() for path in paths if path.exists()}


def parsed(content: bytes, ignored: Sequence[str]) -> list[tuple[str, str]]:
    """The values of a JSON or CSV document with their places, as they are written."""
    text = content.decode()
    if text.startswith("{"):
        document = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
        return list(leaves(document, "", ignored))
    cells = enumerate(csv.reader(io.StringIO(text)))
    return [(f"line {i + 1}, cell {j + 1}", cell) for i, row in cells for j, cell in enumerate(row)]


def leaves(node: Any, place: str, ignored: Sequence[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if name not in ignored:
                yield from leaves(value, f"{place}.{name}" if place else name, ignored)
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from leaves(value, f"{place}[{i}]", ignored)
    else:
        yield place, str(node)


def relative(old: str, new: str) -> float:
    """The difference of two numbers by the larger, infinite of what are not two finite numbers."""
    try:
        a, b = float(old), float(new)
    except ValueError:
        return math.inf
    return abs(a - b) / max(abs(a), abs(b)) if math.isfinite(a - b) and a != b else math.inf


def difference(old: bytes | None, new: bytes | None, ignored: Sequence[str]) -> str | None:
    """In what two files differ, in words; None if in nothing."""
    if old is None or new is None:
        return "only one has it"
    if old == new:
        return None
    ours, theirs = parsed(old, ignored), parsed(new, ignored)
    if ours == theirs:
        as_csv = not old.startswith(b"{")
        return "the same cells otherwise written" if as_csv else None
    if [place for place, _ in ours] != [place for place, _ in theirs]:
        odd = sorted({place for place, _ in ours} ^ {place for place, _ in theirs})
        return f"{len(ours)} and {len(theirs)} values, {odd[0] if odd else 'in another order'}"
    moved = [(relative(a, b), place, a, b) for (place, a), (_, b) in zip(ours, theirs, strict=True) if a != b]
    texts = [entry for entry in moved if entry[0] == math.inf]
    size, place, a, b = max(moved, key=lambda entry: entry[0])
    kind = f"{len(texts)} not numbers, first" if texts else f"largest relative difference {size:.1e}"
    return f"{len(moved)} values, {kind} {place}: {a} → {b}"


def compare(case: Case, old: Path, new: Path, ignored: Sequence[str]) -> tuple[list[str], list[str]]:
    """The differences in results and in the account of the search, a phrase each."""
    ours, theirs = written(old), written(new)
    results, account = list[str](), list[str]()
    for name in dict.fromkeys([*ours, *theirs]):
        if words := difference(ours.get(name), theirs.get(name), ignored):
            (account if name in ACCOUNT else results).append(f"{name}: {words}")
    for folder in (old, new):
        if statuses := (folder / DONE).read_text(encoding="utf-8").replace("0", "").split():
            faults = [path.read_text(encoding="utf-8").strip() for path in sorted(folder.glob("*.err"))]
            results.append(f"status {statuses[0]}: {faults[-1][-300:]}")
    return results, account


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path, metavar="OLD_TREE")
    parser.add_argument("new", type=Path, metavar="NEW_TREE")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="cases whose names hold it")
    parser.add_argument("--ignore", action="append", default=[], metavar="FIELD", help="of JSON, at any depth")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what OLD gave there, and take it from there")
    return parser.parse_args()


def main() -> int:
    asked = arguments()
    for tree in (asked.old, asked.new):
        if not (tree / "em_cli").is_dir():
            print(f"{tree} holds no em_cli", file=sys.stderr)
            return 2
    old, new = asked.old.resolve(), asked.new.resolve()
    ignored = (*IGNORED, *asked.ignore)
    cases = [case for case in CASES if not asked.only or any(word in case.name for word in asked.only)]
    counts, total = [0, 0], 0.0
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        data = {
            "sample_data": old / "sample_data",
            "reference": old / "tests/reference/data",
            "configs": old / "configs",
        }
        data["made"] = work / "made"
        data["made"].mkdir()
        make_data(data["made"])
        kept = asked.keep.resolve() if asked.keep else work / "old"
        for case in cases:
            if not (kept / case.name / DONE).exists():
                shutil.rmtree(kept / case.name, ignore_errors=True)
                perform(case, old, kept / case.name, data)
            seconds = perform(case, new, work / "new" / case.name, data)
            results, account = compare(case, kept / case.name, work / "new" / case.name, ignored)
            phrases = [*results, *(f"account, {words}" for words in account)]
            counts = [counts[0] + bool(results), counts[1] + bool(account)]
            total += seconds
            verdict = f"differs  {'; '.join(phrases)}" if phrases else "same"
            print(f"{case.name:24} {seconds:5.1f} s  {verdict}", flush=True)
    print(f"{len(cases)} cases, {total:.0f} s of CPU: {counts[0]} differ in results, {counts[1]} in the account")
    return int(any(counts)) if cases else 2


if __name__ == "__main__":
    sys.exit(main())
