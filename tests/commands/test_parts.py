"""`em parts`: what there is to choose from."""

import json

import pytest
from program import SAMPLES, em


def test_axes_and_their_parts(tmp_path):
    listed = em("parts", cwd=tmp_path).out
    assert "algorithms   em, squarem, lbfgs\n" in listed
    assert em("parts", "criteria", cwd=tmp_path).out.startswith("bic ")
    said = em("parts", "families", "multinomial", cwd=tmp_path).out
    assert said.endswith(
        "\nA row with a missing cell has no known total, and says nothing by these columns; its others count.\n"
    )


@pytest.mark.parametrize("axis", ["algorithms", "algorithm"])
def test_an_axis_is_named_in_the_plural_or_as_its_option(axis, tmp_path):
    lines = em("parts", axis, cwd=tmp_path).out.splitlines()
    assert [line.split()[0] for line in lines] == ["em", "squarem", "lbfgs"]
    assert lines[2].endswith("(memory = 10, warm_up = 2, longest = 0.5, shortenings = 5)")
    assert "  memory = 10\n" in em("parts", axis, "lbfgs", cwd=tmp_path).out


def test_climbs_are_finished_by_the_algorithm_asked_for(tmp_path):
    """By default L-BFGS, which takes fewer iterations to the place where EM comes to rest."""
    iris = (SAMPLES / "iris.csv", "--exclude", "species", "-k", "4", "--restarts", "4", "--tol", "1e-6", "--json")
    default, lbfgs, plain = (
        json.loads(em("fit", *iris, *more, cwd=tmp_path).out)
        for more in ((), ("--algorithm", "lbfgs"), ("--algorithm", "em"))
    )
    assert default == lbfgs
    assert plain["log_likelihood"] == pytest.approx(default["log_likelihood"], abs=0.02)
    assert default["n_iter"] < plain["n_iter"]
