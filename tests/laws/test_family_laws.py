"""What every family of component distributions obeys: the laws of `em_cli.testing`, on every registered family."""

import pytest
from cases import CASE_MAKERS, CASES
from hypothesis import example, given
from hypothesis import strategies as st
from support import Case

from em_cli.families import FAMILIES
from em_cli.testing import family_laws
from em_cli.testing.family_laws import NUDGES, SEPARATIONS, SITUATIONS, K

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_exact = pytest.mark.parametrize("case", [case for case in CASES if case.exact], ids=lambda case: case.name)
separations = st.sampled_from(SEPARATIONS)
situations = st.sampled_from(SITUATIONS)


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_is_tried(name):
    assert name in CASE_MAKERS, f"add a case-maker for {name!r} to CASE_MAKERS in tests/cases: the laws need data"


@each_case
@given(seed=st.integers(0, 999), cuts=st.sets(st.integers(1, 119)), order=st.randoms(), separation=separations)
def test_statistics_add_over_any_split_in_any_order_and_scale(case: Case, seed, cuts, order, separation):
    family_laws.statistics_add_over_any_split_in_any_order_and_scale(case, seed, cuts, order.shuffle, separation)


@each_case
@given(seed=st.integers(0, 999), situation=situations)
def test_density_is_that_of_scipy(case: Case, seed, situation):
    family_laws.density_is_that_of_an_independent_program(case, seed, situation)


@pytest.mark.parametrize("case", [case for case in CASES if case.normalised], ids=lambda case: case.name)
def test_density_sums_to_one(case: Case):
    family_laws.density_sums_to_one(case)


@each_exact
@example(seed=1, situation=(1e5, 0.0), nudge=1e-3)  # where sums about zero have too few digits
@given(seed=st.integers(0, 999), situation=situations, nudge=st.sampled_from(NUDGES))
def test_m_step_beats_nearby_parameters(case: Case, seed, situation, nudge):
    family_laws.m_step_beats_nearby_parameters(case, seed, situation, nudge)


@each_case
@given(seed=st.integers(0, 999), situation=situations)
def test_m_steps_never_lower_the_expected_log_likelihood(case: Case, seed, situation):
    family_laws.m_steps_never_lower_the_expected_log_likelihood(case, seed, situation)


@each_exact
@given(seed=st.integers(0, 999), situation=situations)
def test_m_step_does_not_depend_on_the_frame_of_the_statistics(case: Case, seed, situation):
    family_laws.m_step_does_not_depend_on_the_frame_of_the_statistics(case, seed, situation)


@each_case
@given(seed=st.integers(0, 999), order=st.permutations(range(K)))
def test_permuting_components_permutes_everything(case: Case, seed, order):
    family_laws.permuting_components_permutes_everything(case, seed, order)


@each_case
@pytest.mark.parametrize("k", [1, 2, 3])
def test_free_parameters_are_the_rank_of_the_parametrisation(case: Case, k):
    family_laws.free_parameters_are_the_rank_of_the_parametrisation(case, k)


@each_case
@given(seed=st.integers(0, 999), k=st.integers(1, 4))
def test_documents_hold_the_parameters_to_the_bit(case: Case, seed, k):
    family_laws.documents_hold_the_parameters_to_the_bit(case, seed, k)


@each_case
@given(seed=st.integers(0, 999), k=st.integers(1, 4), separation=separations)
def test_documents_hold_the_parameters_in_the_users_units(case: Case, seed, k, separation):
    family_laws.documents_hold_the_parameters_in_the_users_units(case, seed, k, separation)


@each_case
def test_sample_then_fit_recovers(case: Case):
    family_laws.sample_then_fit_recovers(case)


@each_case
def test_components_are_degenerate_below_what_the_family_resolves_and_not_above(case: Case):
    family_laws.components_are_degenerate_below_what_the_family_resolves_and_not_above(case)
