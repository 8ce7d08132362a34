"""Local coordinates: the laws of `em_cli.testing` on every family's chart."""

import pytest
from cases import CASES
from support import Case

from em_cli.latents import LATENTS
from em_cli.testing import chart_laws
from em_cli.testing.chart_laws import PRIORS, SEPARATIONS, STACKED

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


@each_case
@pytest.mark.parametrize(("separation", "prior"), STACKED)
def test_candidates_of_a_stack_have_the_bits_that_they_have_alone(case: Case, separation, prior):
    chart_laws.candidates_of_a_stack_have_the_bits_that_they_have_alone(case, separation, prior)


OF_LATENTS = [(name, {}) for name in LATENTS if name not in ("topics", "pairs")] + [  # of documents, of genotypes
    ("independent", {"weights": "equal"}),
    ("markov", {"initial": "stationary"}),
    ("markov", {"transitions": "left-right"}),
]


@pytest.mark.parametrize(("latent", "options"), OF_LATENTS, ids=str)
def test_latent_structures_have_charts_of_stacks_too(latent, options):
    case = next(case for case in CASES if case.name == "gaussian-full")
    of = LATENTS.load(latent)(**options)
    chart_laws.candidates_of_a_stack_have_the_bits_that_they_have_alone(case, 2.5, 0.0, of)


@pytest.mark.parametrize(("latent", "options"), OF_LATENTS, ids=str)
def test_what_is_far_out_of_a_latent_structure_is_what_documents_hold(latent, options):
    case = next(case for case in CASES if case.name == "gaussian-full")
    chart_laws.what_is_far_out_of_a_latent_structure_is_what_documents_hold(case, LATENTS.load(latent)(**options))
