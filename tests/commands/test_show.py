"""`em show`: a summary, drawn where a person can see it."""

import os
import pty
import subprocess
import sys

import pytest
from display.terminal import Terminal
from program import ENVIRONMENT, SAMPLES, command, em

FITS = {
    "faithful": "fit faithful.csv -k 2",
    "noise": "fit faithful.csv -k 2 --noise",
    "penguins": "fit penguins.csv -k 3 --effort low",
    "factors": "fit iris.csv --exclude species -k 2 --family factor_analyzers --set family.n_factors=1",
    "t": "fit galaxies.csv -k 2 --family student_t --effort low",
    "sweep": "select deaths.csv --k-range 1-3 --family poisson --effort low",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("show")
    for name, line in FITS.items():
        verb, data, *rest = line.split()
        em(verb, SAMPLES / data, *rest, "--out", f"{name}.em", "-q", cwd=folder)
    return folder


@pytest.mark.parametrize(
    ("run", "drawn"),
    [
        ("faithful", [" eruptions", " waiting", "means"]),
        ("noise", [" noise "]),
        ("penguins", [" Adelie", " bill_length_mm", "1 more column"]),
        ("factors", [" petal_length"]),
        ("t", [" velocity"]),
        ("sweep", [" deaths", "BIC against k"]),
    ],
)
def test_draws_every_kind_of_model(runs, run, drawn):
    summary = em("show", f"{run}.em", cwd=runs).out
    text = em("show", f"{run}.em", "--draw", "always", cwd=runs).out
    assert text.startswith(summary.rstrip("\n")), "in a pipe there are no drawings unless they are asked for"
    drawing = text[len(summary) :]
    assert "\x1b" not in text and max(map(len, text.splitlines())) <= 80
    assert "█" in drawing
    for words in drawn:
        assert words in drawing


def test_a_model_file_alone_is_drawn(runs):
    text = em("show", "sweep.em/params.json", "--draw", "always", cwd=runs).out
    assert " deaths" in text and "against k" not in text


def test_asked_wrongly(runs):
    assert "always" in em("show", "faithful.em", "--draw", "allways", cwd=runs, status=2).err


@pytest.mark.parametrize(
    ("environment", "drawn", "colored"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
)
def test_on_a_terminal(runs, environment, drawn, colored):
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        command("show", "faithful.em"), stdout=theirs, cwd=runs,
        env=ENVIRONMENT | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "80"} | environment,
    ) as child:  # fmt: skip
        os.close(theirs)
        written = b""
        while piece := _read(ours):
            written += piece
    os.close(ours)
    assert child.returncode == 0
    assert (b"\x1b[" in written) == colored
    terminal = Terminal(80, 60)
    terminal.write(written.decode())
    assert any("█" in line for line in terminal.shown) == drawn


def _read(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""


@pytest.mark.parametrize("line", ["show", "show --draw always", "show --json", "sample -n 9", "export --to sql"])
def test_what_reads_no_data_waits_for_no_library_that_does(runs, line):
    verb, *rest = line.split()
    code = "import sys; sys.argv[0] = 'em'\nfrom em_cli.app import main\ntry: main()\n"
    code += "finally: print(*sys.modules, file=sys.stderr)"
    asked = [sys.executable, "-c", code, verb, "penguins.em", *rest]
    run = subprocess.run(asked, cwd=runs, capture_output=True, text=True, env=ENVIRONMENT)
    assert run.returncode == 0 and run.stdout
    assert not {"pandas", "scipy", "matplotlib"} & set(run.stderr.split())
