"""Run folders by name: what they are called, what is there already, and `em runs`."""

import json
import os
import shutil
from collections.abc import Sequence

import pytest
from program import SAMPLES, em

from em_cli.outputs.run_names import default_name
from em_cli.postestimation.catalogue import listed

QUICK = ("--effort", "low")
FIT = ("fit", "faithful.csv", "-k", 2, *QUICK)


@pytest.mark.parametrize(
    ("data", "ks", "choices", "name"),
    [
        ("a/faithful.csv.gz", (3,), (), "faithful-k3.em"),
        ("faithful.csv", (2,), ("student_t", "tied"), "faithful-k2-student_t-tied.em"),
        ("x.csv", (1, 2, 3), (), "x-k1-3.em"),
        ("x.csv", (2, 4, 8), (), "x-k2,4,8.em"),
        ("x.csv", tuple(range(1, 100, 3)), (), "x-k1-97.em"),
        ("x.csv", (2,), ["a" * 30, "b" * 30], "x-k2.em"),
        (".csv", (2,), (), "data-k2.em"),
    ],
)
def test_names_of_run_folders(data, ks: Sequence[int], choices, name):
    assert default_name(data, ks, choices) == name


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Runs of the same data that differ in what their names tell."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copy(SAMPLES / "faithful.csv", folder)
    em(*FIT, "-q", cwd=folder)
    em("fit", "faithful.csv", "-k", 1, "--covariance", "tied", "--latent", "noise", *QUICK, "-q", cwd=folder)
    em("select", "faithful.csv", "--k-range", "1-2", *QUICK, "-q", cwd=folder)
    for age, name in enumerate(("faithful-k1-2.em", "faithful-k1-tied-noise.em", "faithful-k2.em")):
        os.utime(folder / name / "params.json", (1e9 + age, 1e9 + age))
    return folder


@pytest.fixture
def there(finished, tmp_path):
    return shutil.copytree(finished, tmp_path, dirs_exist_ok=True)


def content(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_same_run_again_is_shown_again(there):
    before = content(there)
    done = em(*FIT, cwd=there)
    assert done.err.startswith("em: faithful-k2.em is this run already; --force runs it again.\n")
    assert done.out == (there / "faithful-k2.em/params.json").read_text()
    assert "Gaussian mixture, VVV (full), k = 2" in em(*FIT, "--format", "human", cwd=there).out
    assert content(there) == before
    more = em(*FIT, "-q", "--labelled", "l.csv", "--responsibilities", "r.csv", cwd=there)
    assert more.out == more.err == ""
    assert (there / "l.csv").read_text().count("\n") == 273
    assert (there / "r.csv").read_bytes() == (there / "faithful-k2.em/responsibilities.csv").read_bytes()
    swept = em("select", "faithful.csv", "--k-range", "1-2", *QUICK, "--format", "csv", cwd=there)
    assert swept.out == (there / "faithful-k1-2.em/selection.csv").read_text()
    (there / "faithful.csv").rename(there / "moved.csv")  # the same bytes by another name
    again = em("fit", "moved.csv", "-k", 2, *QUICK, "--out", "faithful-k2.em", cwd=there)
    assert "is this run already" in again.err


def test_a_doubtful_run_shown_again_is_as_doubtful(tmp_path):
    """The bootstrap, cron: the status of a run must not depend on how often it was asked for."""
    shutil.copy(SAMPLES / "galaxies.csv", tmp_path)
    line = ("fit", "galaxies.csv", "-k", 6, "--restarts", 1, "--max-iter", 3, "--strict", "-q")
    em(*line, cwd=tmp_path, status=6)
    assert "is this run already" in em(*line[:-1], cwd=tmp_path, status=6).err


OTHERS = {
    "a setting": ((*FIT, "--tol", 0.1), "a run with another --tol. Use --out faithful-k2-2.em to keep both"),
    "two settings": ((*FIT, "--seed", 1, "--tol", 0.1), "a run with another --tol and another --seed."),
    "a type": ((*FIT, "--type", "waiting=gamma"), "a run with another --type waiting."),
    "a command": (("fit", "faithful.csv", "-k", 2, "--out", "faithful-k1-2.em"), "another command"),
    "pictures": ((*FIT, "--plots"), "is this run already, without plots: em plot faithful-k2.em makes it."),
    "a report": ((*FIT, "--report"), "without report.html: em report faithful-k2.em makes it."),
}


@pytest.mark.parametrize("name", OTHERS)
def test_another_run_is_not_replaced(name, there):
    before = content(there)
    arguments, said = OTHERS[name]
    assert said in em(*arguments, cwd=there, status=4).err
    assert content(there) == before


def test_a_run_of_other_data_is_not_replaced(there):
    with (there / "faithful.csv").open("a") as file:
        file.write("3,70\n")
    assert "a run with other data. Use --out faithful-k2-2.em" in em(*FIT, cwd=there, status=4).err
    assert em(*FIT, "--force", "--json", cwd=there).out


def test_a_run_by_another_version_is_not_replaced(there):
    params = there / "faithful-k2.em/params.json"
    params.write_text(json.dumps(json.loads(params.read_text()) | {"em_version": "0.0.9"}))
    assert "faithful-k2.em exists, by em 0.0.9." in em(*FIT, cwd=there, status=4).err


def test_a_name_without_a_folder_means_the_latest_run(there):
    done = em("show", "faithful.em", cwd=there)
    assert "VVV (full), k = 2" in done.out
    assert done.err == "em: faithful.em is not there: taking faithful-k2.em, the latest of 3 runs of these data.\n"
    assert em("predict", "faithful.em", "faithful.csv", cwd=there).out.count("\n") == 273
    assert json.loads(em("compare", "faithful.em", "faithful-k1-2.em", "--json", cwd=there).out)
    shutil.copytree(there / "faithful-k1-2.em", there / "faithful.em")
    assert em("show", "faithful.em", cwd=there).err == ""
    missing = em("show", "geyser.em", cwd=there, status=3)
    assert "geyser.em: there is no such model file or run folder. `em runs` lists" in missing.err


MISTAKES = [
    "--family guassian",
    "--family t2",
    "--family student_t --set family.dff=3",
    "--family student_t --set family.dof=x",
    "--set family.dof=3",
    "--type waiting=binomial:1.5",
    "--covariance ful",
    "--type waiting=numbre",
    "--transform waiting=lgo",
    "--prior strong",
    "--latent nois",
    "--algorithm emm",
    "--effort lo",
    "--restarts many",
    "--start kmeens",
    "--tol -1",
    "--max-iter 0",
    "--time-limit soon",
    "--threads none",
    "--runner thread",
    "--missing drp",
    "--weight-type frequent",
    "--encoding utf-9",
    "--progress liv",
    "--color blue",
    "--format jsn",
    "--events-level run",
    "--checkpoint-every often",
    "--decimal ..",
    "--set search.effrt=low",
    "--resume --force",
    "--json --params -",
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_before_a_folder_that_is_in_the_way(mistake, finished):
    (finished / "in-the-way").mkdir(exist_ok=True)
    (finished / "in-the-way/thesis.txt").write_text("mine")
    done = em("fit", "faithful.csv", "-k", 2, "--out", "in-the-way", *mistake.split(), cwd=finished, status=2)
    assert "in-the-way" not in done.err and done.out == ""


def test_runs_lists_what_there_is(there):
    shutil.copytree(there / "faithful-k2.em", there / "deep/er/copy.em")
    (there / "broken.em").mkdir()
    (there / "broken.em/params.json").write_text("{")
    (there / "link.em").symlink_to("faithful-k2.em")
    table = em("runs", cwd=there).out
    heading, *lines = table.splitlines()
    assert heading.split() == ["run", "data", "k", "BIC", "finished", "model"]
    assert {line.split()[0] for line in lines} == {
        *("faithful-k2.em", "faithful-k1-2.em", "faithful-k1-tied-noise.em", "deep/er/copy.em"),
    }
    assert any("faithful.csv  2  2322.19" in line and "Gaussian mixture, VVV (full)" in line for line in lines)
    found = json.loads(em("runs", ".", "--json", cwd=there).out)
    assert [run["n_components"] for run in found if run["run"] == "faithful-k2.em"] == [2]
    assert [run["finished"] for run in found] == sorted(run["finished"] for run in found)
    narrow = listed(found, ".", 80).splitlines()
    assert "   Gaussian mixture, VVV (full)" in narrow and max(map(len, narrow)) <= 80, "no model is cut on a terminal"
    empty = em("runs", "broken.em", cwd=there)
    assert empty.out == "There is no run in broken.em. em fit data.csv -k 3 makes one.\n"
    assert "nowhere: it does not exist." in em("runs", "nowhere", cwd=there, status=3).err
