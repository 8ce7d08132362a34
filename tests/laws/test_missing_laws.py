"""Missing cells are integrated out: the laws of `em_cli.testing` on every family that takes them."""

import pytest
from cases import CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Case

from em_cli.testing import missing_laws

GAPPY = [case for case in CASES if case.gaps]
each_case = pytest.mark.parametrize("case", GAPPY, ids=lambda case: case.name)
seeds = st.integers(0, 999)


@each_case
@given(seed=seeds)
@settings(max_examples=5)
def test_a_missing_cell_is_integrated_out(case: Case, seed):
    missing_laws.a_missing_cell_is_integrated_out(case, seed)


@each_case
@given(seed=seeds)
@settings(max_examples=5)
def test_where_no_cell_is_missing_flags_change_nothing(case: Case, seed):
    missing_laws.where_no_cell_is_missing_flags_change_nothing(case, seed)


@pytest.mark.parametrize("case", [case for case in GAPPY if case.exact], ids=lambda case: case.name)
@given(seed=seeds)
@settings(max_examples=5)
def test_the_m_step_of_a_component_is_the_closed_form_of_its_cells(case: Case, seed):
    missing_laws.the_m_step_of_a_component_is_the_closed_form_of_its_cells(case, seed)


@each_case
def test_a_component_may_see_no_cell_of_a_column(case: Case):
    missing_laws.a_component_may_see_no_cell_of_a_column(case)


@each_case
def test_a_row_of_missing_cells_says_nothing(case: Case):
    missing_laws.a_row_of_missing_cells_says_nothing(case)


@each_case
def test_the_embedding_and_the_features_are_never_missing(case: Case):
    missing_laws.the_embedding_and_the_features_are_never_missing(case)


@each_case
def test_missing_cells_are_filled_and_drawn(case: Case):
    missing_laws.missing_cells_are_filled_and_drawn(case)


@each_case
def test_more_complete_rows_change_the_fit_less(case: Case):
    missing_laws.more_complete_rows_change_the_fit_less(case)
