"""Local coordinates: the laws of `em_cli.testing` on every family's chart."""

import pytest
from cases import CASES
from support import Case

from em_cli.testing import chart_laws
from em_cli.testing.chart_laws import PRIORS, SEPARATIONS

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_separation = pytest.mark.parametrize("separation", SEPARATIONS)


@each_case
@each_separation
def test_the_base_point_is_the_origin_and_coordinates_come_back(case: Case, separation):
    chart_laws.the_base_point_is_the_origin_and_coordinates_come_back(case, separation)


@each_case
@each_separation
@pytest.mark.parametrize(("away", "prior"), PRIORS)
def test_the_gradient_is_that_of_the_log_likelihood(case: Case, separation, away, prior):
    chart_laws.the_gradient_is_that_of_the_log_likelihood(case, separation, away, prior)


@pytest.mark.parametrize("case", [case for case in CASES if not case.expanded], ids=lambda case: case.name)
@each_separation
def test_an_em_step_is_a_step_along_the_gradient(case: Case, separation):
    chart_laws.an_em_step_is_a_step_along_the_gradient(case, separation)
