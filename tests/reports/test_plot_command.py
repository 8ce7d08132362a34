"""`em plot`: which pictures, from which data, into which files."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.image import imread
from program import ENVIRONMENT, em
from shown import fitted, home, swept

from em_cli.app import program
from em_cli.errors import EmError
from em_cli.reports import PICTURES

SIX = "x,y\n" + "".join(f"{a},{b}\n" for a, b in [(1, 2), (1.5, 1), (2, 2.5), (8, 9), (8.5, 8), (9, 9.5)])


def plot(folder, *arguments, status=0):
    """What `em plot` says, without a process of its own: the captions, or what is wrong."""
    said = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(said):
        try:
            program()(["plot", *map(str, arguments)], standalone_mode=False)
        except EmError as error:
            assert error.status == status
            return str(error)
    assert status == 0
    return said.getvalue()


@pytest.fixture
def faithful(tmp_path):
    """A run folder of its own, with its data beside it."""
    shutil.copytree(fitted("faithful"), tmp_path / "faithful.em")
    shutil.copy(home() / "faithful.csv", tmp_path)
    manifest = tmp_path / "faithful.em/manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"working_directory": str(tmp_path)}))
    return tmp_path


def test_all_that_apply_with_their_captions(faithful):
    said = plot(faithful, "faithful.em").splitlines()
    names = [line.split(": ")[0] for line in said]
    kinds = ["density", "scatter", "profile", "intervals", "trace", "responsibilities", "uncertainty", "sizes", "qq"]
    assert names == [f"faithful.em/plots/{kind}.png" for kind in kinds]
    for name in names:
        pixels = imread(faithful / name)
        assert pixels.shape[1] > 800 and pixels.std() > 0.02
    assert sorted(path.name for path in (faithful / "faithful.em/plots").iterdir()) == sorted(
        name.split("/")[-1] for name in names
    )


def test_kinds_by_name_in_any_format_and_size(faithful):
    em(
        "plot",
        "faithful.em",
        "--kind",
        "sizes,trace",
        "--kind",
        "scatter",
        "--format",
        "svg",
        "-o",
        "out",
        cwd=faithful,
    )
    assert sorted(path.name for path in (faithful / "out").iterdir()) == ["scatter.svg", "sizes.svg", "trace.svg"]
    root = ElementTree.parse(faithful / "out/scatter.svg").getroot()
    text = ElementTree.tostring(root, encoding="unicode")
    assert "faithful.csv: 2 components" in text and "Scatter plot of waiting against eruptions" in text
    plot(faithful, "faithful.em", "--kind", "sizes", "--dpi", 50, "--width", 4)
    assert imread(faithful / "faithful.em/plots/sizes.png").shape[1] == 200


@pytest.mark.parametrize("format", ["png", "svg", "pdf"])
def test_the_same_bytes_each_time(faithful, format):
    wanted = ("plot", "faithful.em", "--kind", "scatter", "--format", format, "--theme", "dark")
    em(*wanted, "-o", "a", cwd=faithful)
    em(*wanted, "-o", "b", cwd=faithful, env={"SOURCE_DATE_EPOCH": "1", "MPLBACKEND": "svg"})
    first = (faithful / "a" / f"scatter.{format}").read_bytes()
    assert first == (faithful / "b" / f"scatter.{format}").read_bytes()
    assert not re.search(rb"CreationDate|<dc:date|Software|20[23]\d-\d\d-\d\d", first)


def test_an_own_style_changes_nothing(faithful):
    (faithful / "matplotlibrc").write_text("font.size: 30\nlines.linewidth: 9\naxes.facecolor: red\n")
    em("plot", "faithful.em", "--kind", "sizes", "-o", "a", cwd=faithful)
    (faithful / "matplotlibrc").unlink()
    em("plot", "faithful.em", "--kind", "sizes", "-o", "b", cwd=faithful)
    assert (faithful / "a/sizes.png").read_bytes() == (faithful / "b/sizes.png").read_bytes()


def test_drawn_with_the_fit_they_are_the_same(tmp_path):
    shutil.copy(home() / "penguins.csv", tmp_path)
    select = ("select", "penguins.csv", "--k-range", "2-3", "--effort", "low", "--columns", "bill_length_mm,sex", "-q")
    em(*select, "--plots", "--out", "penguins.em", cwd=tmp_path)
    plot(tmp_path, "penguins.em", "-o", "again")
    names = sorted(path.name for path in (tmp_path / "again").iterdir())
    assert "criterion.png" in names and "levels.png" in names
    assert names == sorted(path.name for path in (tmp_path / "penguins.em/plots").iterdir())
    for name in names:
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "penguins.em/plots" / name).read_bytes()


def test_the_summary_names_the_folder_of_pictures(tmp_path):
    (tmp_path / "six.csv").write_text(SIX)
    said = em("fit", "six.csv", "-k", 1, "--plots", "--format", "human", cwd=tmp_path).out
    assert " plots/ " in said and ".png" not in said


def test_pictures_need_a_run_folder(tmp_path):
    (tmp_path / "six.csv").write_text(SIX)
    message = em("fit", "six.csv", "-k", 1, "--plots", "--json", cwd=tmp_path, status=2).err
    assert message == "em: error: --plots draws into the run folder, and none is written: give --out.\n"


def test_without_the_extra_it_is_said_before_the_fit(tmp_path):
    (tmp_path / "six.csv").write_text(SIX)
    program = "import sys; sys.modules['matplotlib'] = None; from em_cli.app import main; main()"

    def refused(*arguments):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
        )
        assert done.returncode == 2, done.stderr
        return done.stderr

    wanted = 'em: error: drawing pictures needs pip install "em-cli[plots]".\n'
    assert refused("fit", "six.csv", "-k", "1", "--plots") == wanted
    assert not (tmp_path / "six.em").exists()
    assert refused("plot", "six.em") == wanted


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--kind", "scater"), 2, "unknown picture 'scater'. Did you mean 'scatter'?"),
        (("--kind", "pairs"), 2, "--kind pairs does not apply: it needs three columns of numbers; scatter shows two."),
        (
            ("--kind", "criterion"),
            2,
            "--kind criterion does not apply: it is a run of em fit; em select compares models.",
        ),
        (("--kind", "levels"), 2, "--kind levels does not apply: no column holds categories."),
        (("--format", "gif"), 2, "unknown format 'gif'"),
        (("--theme", "drak"), 2, "unknown theme 'drak'. Did you mean 'dark'?"),
        (("--columns", "wating"), 2, "--columns: 'wating' was not fitted. Did you mean 'waiting'?"),
        (("--kind", "sizes", "--columns", "waiting"), 2, "--kind sizes does not apply: it shows no columns"),
        (("--kind", "sizes", "faithful.csv"), 2, "sizes shows no rows: it needs no data."),
        (
            ("--kind", "scatter", "--columns", "waiting"),
            2,
            "--kind scatter does not apply: it needs two columns of numbers.",
        ),
        (("nowhere.csv",), 3, "nowhere.csv does not exist."),
        (("-",), 3, "the data are read more than once: name a file, not standard input."),
        (("faithful.csv", "faithful.csv"), 3, "faithful.em was fitted to 1 file, not 2"),
    ],
)
def test_messages(faithful, options, status, message):
    assert plot(faithful, "faithful.em", *options, status=status).startswith(message)
    assert not (faithful / "faithful.em/plots").exists()


def test_columns_are_chosen(faithful):
    said = plot(faithful, "faithful.em", "--columns", "waiting")
    assert [line.split("/")[2].split(".")[0] for line in said.splitlines()] == ["density", "intervals"]
    assert "Histogram of waiting with" in said


def test_existing_files_are_kept_unless_told_otherwise(faithful):
    plot(faithful, "faithful.em", "--kind", "sizes")
    before = (faithful / "faithful.em/plots/sizes.png").read_bytes()
    message = plot(faithful, "faithful.em", "--kind", "trace,sizes", "--theme", "dark", status=4)
    assert message.startswith("faithful.em/plots/sizes.png exists. Use --force to replace it")
    assert not (faithful / "faithful.em/plots/trace.png").exists()
    plot(faithful, "faithful.em", "--kind", "trace,sizes", "--theme", "dark", "--force")
    assert (faithful / "faithful.em/plots/sizes.png").read_bytes() != before


def test_data_that_are_gone_or_changed_or_elsewhere(faithful):
    (faithful / "faithful.csv").rename(faithful / "moved.csv")
    message = plot(faithful, "faithful.em", status=3)
    assert "is not there any more: say where it is, behind the run folder: faithful.em faithful.csv." in message
    plot(faithful, "faithful.em", "--kind", "trace,sizes,profile")
    plot(faithful, "faithful.em", "moved.csv", "--kind", "qq")
    (faithful / "moved.csv").write_text((faithful / "moved.csv").read_text() + "4,80\n")
    message = plot(faithful, "faithful.em", "moved.csv", "--kind", "density", status=3)
    assert message.startswith("moved.csv is not what faithful.em was fitted to: its SHA-256")


def test_data_are_found_where_they_were_and_beside_the_run_folder(faithful):
    (faithful / "elsewhere").mkdir()
    plot(faithful / "elsewhere", "../faithful.em", "--kind", "density")
    for name in ("faithful.em", "faithful.csv"):
        (faithful / name).rename(faithful / "elsewhere" / name)
    plot(faithful, "elsewhere/faithful.em", "--kind", "qq")


def test_data_from_standard_input_must_be_named(tmp_path):
    em("fit", "-", "-k", 1, "--out", "six.em", cwd=tmp_path, stdin=SIX)
    message = plot(tmp_path, "six.em", status=3)
    assert "six.em was fitted to standard input: name a file that holds the same" in message
    (tmp_path / "six.csv").write_text(SIX)
    assert "density.png" in plot(tmp_path, "six.em", "six.csv", "--kind", "density")


def test_what_is_no_run_folder(faithful):
    assert "is a file: a run folder is needed" in plot(faithful, "faithful.em/params.json", status=3)
    assert "there is no such model file or run folder" in plot(faithful, "nothing.em", status=3)
    (faithful / "faithful.em/manifest.json").unlink()
    assert "has no manifest.json" in plot(faithful, "faithful.em", status=3)


def test_many_rows_are_sampled_and_that_is_said(tmp_path):
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0, 1, 15_000), rng.normal(6, 1, 9_000)])
    (tmp_path / "many.csv").write_text("value\n" + "\n".join(f"{value:.4f}" for value in values) + "\n")
    em("fit", "many.csv", "-k", 2, "--restarts", 2, "-q", "--plots", "--out", "many.em", cwd=tmp_path)
    said = plot(tmp_path, "many.em", "--kind", "density,uncertainty", "-o", "again")
    assert said.count("A random sample of 20,000 of 24,000 rows is shown.") == 2
    for kind in ("density", "uncertainty"):
        assert (tmp_path / f"again/{kind}.png").read_bytes() == (tmp_path / f"many.em/plots/{kind}.png").read_bytes()


def test_hostile_names_and_levels(tmp_path):
    names = ["$x^2$ {a}", "a_b %s <b>&amp;", "名前\t" + "x" * 300]
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{b:.3f},{'$x$' if a > 0 else '[red]'}" for a, b in rng.normal(0, 1, (60, 2))]
    header = ",".join('"' + name + '"' for name in names)
    (tmp_path / "h$o$stile.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    em("fit", "h$o$stile.csv", "-k", 2, "--effort", "low", "--plots", "--out", "h.em", "-q", cwd=tmp_path)
    for format in ("svg", "pdf"):
        plot(tmp_path, "h.em", "--kind", "scatter,levels", "--format", format)
    ElementTree.parse(tmp_path / "h.em/plots/levels.svg")


def test_unfinished_runs_are_drawn(tmp_path):
    """Without responsibilities.csv, and without any climb on record."""
    (tmp_path / "six.csv").write_text(SIX)
    em("fit", "six.csv", "-k", 1, "--out", "six.em", "--no-responsibilities", "-q", cwd=tmp_path)
    for name in ("trace.csv", "restarts.csv"):
        (tmp_path / "six.em" / name).unlink()
    said = plot(tmp_path, "six.em")
    assert "density.png" in said and "trace.png" not in said
    message = plot(tmp_path, "six.em", "--kind", "responsibilities", status=2)
    assert "--kind responsibilities does not apply: there is one component." in message


def test_kinds_are_parts():
    listed = em("parts", "pictures", cwd=home()).out
    assert [line.split()[0] for line in listed.splitlines()] == PICTURES.names()


def test_a_sweep_is_drawn_by_its_criterion():
    plot(home(), swept(), "--kind", "criterion", "-o", "out")
    assert json.loads((swept() / "manifest.json").read_text())["config"]["criterion"] == "bic"
    assert (home() / "out/criterion.png").stat().st_size > 10_000
