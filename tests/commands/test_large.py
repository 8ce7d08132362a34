"""Where the rows lie, and who adds them up, changes no byte of any result."""

import numpy as np
import pytest
from program import em

N = 20_000
FIT = ("fit", "t.csv", "-k", 2, "--id", "name", "--weights", "w", "--labels", "known", "--restarts", 1, "--max-iter", 3,
       "--se", "none", "-q")  # fmt: skip
ALIKE = ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv", "run.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a file of every kind of column, and its fit in memory."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("large")
    x = np.round(rng.normal(size=(N, 2)) + 3 * rng.integers(0, 2, (N, 1)), 3).astype(str)
    x[rng.random(x.shape) < 0.03] = ""
    word, known = rng.choice(["red", '"gr,een"', ""], N), rng.choice(["A", "", "", ""], N)
    weight = rng.choice(["1", "2", "0"], N, p=[0.7, 0.2, 0.1])
    lines = [f'"r,{row}",{x[row, 0]},{x[row, 1]},{word[row]},{weight[row]},{known[row]}' for row in range(N)]
    (folder / "t.csv").write_text("name,a,b,word,w,known\n" + "\n".join(lines) + "\n")
    em(*FIT, "--out", "here", cwd=folder)
    return folder


@pytest.mark.parametrize("env", [{}, {"EM_READ_ROWS": "1"}], ids=["mapped", "read"])
def test_rows_on_the_disk_give_the_same_bytes(place, env):
    (place / "rows").mkdir(exist_ok=True)
    err = em(*FIT, "--memory", 0, "--cache", "rows", "--out", "there", "--force", cwd=place, env=env).err
    assert err == ""
    for name in ALIKE:
        assert (place / "there" / name).read_bytes() == (place / "here" / name).read_bytes(), name
    assert not any((place / "rows").iterdir())


def test_what_is_wrong_with_the_place_of_rows_is_said(place):
    err = em(*FIT, "--memory", "much", "--out", "x", cwd=place, status=2).err
    assert "'much' is no amount of memory: write 2GB, 500MB, 1.5GiB" in err
    err = em(*FIT, "--cache", "nowhere", "--out", "x", cwd=place, status=4).err
    assert "--cache nowhere is no folder: make it, or name another" in err
    err = em("fit", "t.csv", "-k", 2, "--columns", "a,b", "--group", "word", "--memory", "1kB", "--out", "x", cwd=place,
             status=3).err  # fmt: skip
    assert "rows that belong together, in sequences or groups, are held in memory" in err
    assert not (place / "x").exists()
