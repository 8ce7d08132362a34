"""Tables that no mixture describes well are fitted right, or refused in one message."""

import json
from pathlib import Path

import numpy as np
import pytest
from refusal import check_refusal, em_here, everything

RNG = np.random.default_rng(1)
GROUP = np.repeat([0.0, 1.0], 30)
X, Y = RNG.normal(5 * GROUP, 1), RNG.normal(-3 * GROUP, 1)
PLAIN = -117.79274727  # log-likelihood of the two groups in X


def table(**columns):
    cells = [[value if isinstance(value, str) else repr(float(value)) for value in c] for c in columns.values()]
    return "\n".join([",".join(columns), *map(",".join, zip(*cells, strict=True))]) + "\n"


REFUSED = {
    "too large": (table(a=X * 1e60, b=Y), "-k 2", 3, "column 'a'"),
    "largest": (table(a=[*X, 1e300], b=[*Y, 0]), "-k 2", 3, "row 61 (line 62), column 'a'"),
    "too narrow": (table(a=X * 1e-60, b=Y), "-k 2", 3, "column 'a' varies by"),
    "subnormal": (table(a=X * 1e-310, b=Y), "-k 2", 3, "column 'a' varies by"),
    "constant": (table(a=X * 0 + 3, b=Y), "-k 2 --columns a,b", 3, "column 'a' is constant (every value is 3)"),
    "all equal": (table(a=X * 0 + 3, b=Y * 0), "-k 2", 3, "'a' (3), 'b' (0) are constant"),
    "one row": ("a,b\n1,2\n", "-k 1", 3, "no spread of 'a' (1), 'b' (2). A fit needs two rows."),
    "fewer rows than components": ("a,b\n1,2\n3,4.5\n", "-k 3", 3, "2 distinct rows"),
    "equal rows": ("a,b\n" + "1,2\n3,4.5\n" * 9, "-k 3", 3, "2 distinct rows"),
    "weights of zero": (table(a=X, w=X * 0), "-k 2 --weights w", 3, "every weight in column 'w' is 0"),
    "weight of one row": (table(a=X, w=[1, *[0] * 59]), "-k 1 --weights w", 3, "has one row that can be fitted"),
    "weights too small": (table(a=X, w=[1e-300] * 60), "-k 2 --weights w", 3, "row 1 (line 2), column 'w'"),
    "weights too large": (table(a=X, w=[1e300] * 60), "-k 2 --weights w", 3, "row 1 (line 2), column 'w'"),
    "next to no weight": (table(a=X, w=[1e-12] * 60), "-k 2 --restarts 2 --weights w", 5, "lost all its rows"),
    "every cell missing": ("a,b\n" + "NA,\n" * 9, "-k 2", 3, "no column that can be fitted"),
    "every row incomplete": ("a,b\n1,\n,2\n", "-k 1 --missing drop", 3, "--missing drop leaves none"),
    "huge counts": ("n\n1e13\n2e13\n5\n", "-k 1 --type n=count", 3, "more than 1e+12"),
    "huge trials": ("n\n100\n3\n20\n", "-k 1 --type n=binomial:1000000000000000000", 2, "trials at most"),
    "zeros alone": ("n\n" + "0\n" * 9, "-k 2 --type n=count", 3, "1 distinct rows"),
    "one positive value": ("a\n2\n2\n2\n", "-k 1 --family gamma", 3, "constant"),
    "one level": ("s,a\nu,1\nu,2\nu,3.5\n", "-k 1 --type s=categorical", 3, "column 's' is constant"),
    "labels of nothing": (table(a=X, l=["NA"] * 60), "-k 2 --labels l", 3, "column 'l' is empty"),
    "labels of more": (table(a=X, l=[f"u{i}" for i in range(60)]), "-k 2 --labels l", 3, "name 60 components"),
    "noise in a line": (table(a=X, b=Y * 0), "-k 2 --noise --columns a,b", 3, "column 'b' is constant"),
    "angles beyond their period": (table(a=X), "-k 1 --family von_mises", 3, "period"),
}

FITTED = {
    "plain": (table(a=X), "-k 2", PLAIN),
    "large": (table(a=X * 1e49), "-k 2", PLAIN - 60 * 49 * np.log(10)),
    "small": (table(a=X * 1e-49), "-k 2", PLAIN + 60 * 49 * np.log(10)),
    "both": (table(a=X * 1e49, b=Y * 1e-49), "-k 2 --covariance diag", None),
    "far away": (table(a=1e15 + np.round(X * 64) / 8), "-k 2", None),
    "a column of nothing": (table(a=X, b=["NA"] * 60), "-k 2", PLAIN),
    "weights of one": (table(a=X, w=[1] * 60), "-k 2 --weights w", PLAIN),
    "large weights": (table(a=X, w=[1e15] * 60), "-k 2 --weights w", 1e15 * PLAIN),
    "scaled weights": (table(a=X, w=[1e-15] * 60), "-k 2 --weights w --weight-type sampling", PLAIN),
    "weights far apart": (table(a=X, w=[1e15] * 30 + [1e-15] * 30), "-k 2 --weights w", None),
    "two rows": ("a,b\n1,2\n3,4.5\n", "-k 1", None),
    "two values": ("a\n" + "1\n2\n" * 10, "-k 1", 20 * np.log(0.5)),
    "zeros": ("n\n" + "0\n" * 20, "-k 1 --type n=count", 0.0),
    "counts": ("n\n1e12\n999999999999\n5\n4\n0\n", "-k 2 --type n=count", None),
    "two columns alike": (table(a=X, b=X), "-k 2 --columns a,b", None),
    "collinear": (table(a=X, b=2 * X), "-k 1 --columns a,b", None),
    "more columns than rows": (table(**{f"c{i}": RNG.normal(size=8) for i in range(20)}), "-k 1", None),
    "an outlier": (table(a=[*X, 1e20], b=[*Y, 0]), "-k 1", None),
    "no row complete": ("a,b\n" + "".join(f"{x:.3f},\n,{y:.3f}\n" for x, y in zip(X, Y, strict=True)), "-k 1", None),
}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("content", "options", "status", "word"), REFUSED.values(), ids=REFUSED)
def test_refused_in_one_message(content, options, status, word):
    Path("d.csv").write_text(content)
    check_refusal(em_here(f"fit d.csv -q {options}"), status, (word,))
    assert set(everything()) == {"d.csv"}


@pytest.mark.parametrize(("content", "options", "expected"), FITTED.values(), ids=FITTED)
def test_fitted(content, options, expected):
    """In the units of the data, whatever these are: the log-likelihood only moves with them."""
    Path("d.csv").write_text(content)
    outcome = em_here(f"fit d.csv -q --json --effort low {options}")
    assert (outcome.status, outcome.err) == (0, "")
    found = json.loads(outcome.out)["log_likelihood"]
    assert np.isfinite(found)
    if expected is not None:
        assert found == pytest.approx(expected, rel=1e-6, abs=0.01)
