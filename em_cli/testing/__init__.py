"""The laws that every family obeys, for those who write one: theirs is judged as ours are.

They are about densities, statistics and M-steps, documents, charts, passes over the rows, climbs by every algorithm,
the weak prior, and missing cells, where the family can do without some.

A `Case` says on which columns a family is tried, and what an independent program says of its density: a function of
the bound family, a document of its parameters and rows (D, n), which gives (K, n). Then

    from em_cli.testing import case_of, laws

    CASE = case_of("mine", Mine(), log_density)

    @pytest.mark.parametrize("law", laws(CASE), ids=str)
    def test_a_law(law):
        law()

Without pytest, `for law in laws(CASE): law()` does as well. A `Case` of one's own may have columns of these kinds:
real, skewed (groups differ in scale), positive, proportion, angle, count, inflated count, dispersed count,
"12 trials", binary, "3 levels".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, product

import numpy as np

from em_cli.testing import chart_laws, climb_laws, family_laws, missing_laws, pass_laws
from em_cli.testing.case import Case, case_of, unit_model
from em_cli.testing.random_rows import rows

__all__ = ["Case", "Law", "case_of", "laws", "rows"]

GAPS = 0.15  # share of cells that are missing in laws about them


@dataclass(frozen=True)
class Law:
    """A law in one situation, to be called; `AssertionError` if it is broken."""

    name: str
    situation: str
    holds: Callable[[], None]

    def __call__(self) -> None:
        self.holds()

    def __str__(self) -> str:
        return f"{self.name}[{self.situation}]" if self.situation else self.name


def laws(case: Case, seeds: Sequence[int] = range(3)) -> list[Law]:
    """All laws that concern the case, in every situation, with rows drawn from each of the seeds."""
    single = [*_of_any_rows(case, seeds), *_of_some_rows(case), *_of_charts(case)]
    return [*single, *_of_missing_cells(case, seeds), *_of_passes(case), *_of_climbs(case, seeds)]


def _law(law: Callable[..., None], case: Case, *situation: object, **drawn: object) -> Law:
    return Law(law.__name__, "-".join(map(str, situation)), lambda: law(case, *situation, **drawn))


def _of_any_rows(case: Case, seeds: Sequence[int]) -> Iterator[Law]:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        cuts = set(rng.integers(1, 120, 5).tolist())
        for separation in family_laws.SEPARATIONS:
            in_units = family_laws.documents_hold_the_parameters_in_the_users_units
            yield _law(in_units, case, seed, int(rng.integers(1, 5)), separation)
            yield _law(
                family_laws.statistics_add_over_any_split_in_any_order_and_scale,
                case,
                seed,
                separation=separation,
                cuts=cuts,
                shuffled=rng.shuffle,
            )
        for situation in family_laws.SITUATIONS:
            yield _law(family_laws.density_is_that_of_an_independent_program, case, seed, situation)
            yield _law(family_laws.m_steps_never_lower_the_expected_log_likelihood, case, seed, situation)
            if case.exact:
                yield _law(family_laws.m_step_does_not_depend_on_the_frame_of_the_statistics, case, seed, situation)
                for nudge in family_laws.NUDGES:
                    yield _law(family_laws.m_step_beats_nearby_parameters, case, seed, situation, nudge)
        order = rng.permutation(family_laws.K).tolist()
        yield _law(family_laws.permuting_components_permutes_everything, case, seed, order)
        for k in (1, 2, 3, 4):
            yield _law(family_laws.documents_hold_the_parameters_to_the_bit, case, seed, k)


def _of_some_rows(case: Case) -> Iterator[Law]:
    if case.normalised:
        yield _law(family_laws.density_sums_to_one, case)
    for k in (1, 2, 3):
        yield _law(family_laws.free_parameters_are_the_rank_of_the_parametrisation, case, k)
    yield _law(family_laws.sample_then_fit_recovers, case)
    yield _law(family_laws.components_are_degenerate_below_what_the_family_resolves_and_not_above, case)


def _of_charts(case: Case) -> Iterator[Law]:
    for separation in chart_laws.SEPARATIONS:
        yield _law(chart_laws.the_base_point_is_the_origin_and_coordinates_come_back, case, separation)
        if not case.expanded:
            yield _law(chart_laws.an_em_step_is_a_step_along_the_gradient, case, separation)
    for separation, (away, prior) in product(chart_laws.SEPARATIONS, chart_laws.PRIORS):
        yield _law(chart_laws.the_gradient_is_that_of_the_log_likelihood, case, separation, away, prior)
    for separation, prior in chart_laws.STACKED:
        yield _law(chart_laws.candidates_of_a_stack_have_the_bits_that_they_have_alone, case, separation, prior)


def _of_passes(case: Case) -> Iterator[Law]:
    """One of them on more rows than are summed in one go."""
    for separation in pass_laws.SEPARATIONS:
        for weighted in (False, True):
            yield _law(pass_laws.blocks_of_whole_quanta_change_no_bit, case, separation, weighted)
            yield _law(pass_laws.a_pass_finds_the_sums_over_rows, case, separation, weighted)
        yield _law(pass_laws.m_steps_of_several_models_together_are_those_of_each, case, separation)


def _of_climbs(case: Case, seeds: Sequence[int]) -> Iterator[Law]:
    """By every algorithm of searches side by side, and with the weak prior."""
    for seed, separation in zip(seeds, cycle(climb_laws.SEPARATIONS), strict=False):
        yield _law(climb_laws.the_likelihood_never_descends, case, seed, separation)
    yield _law(climb_laws.the_reported_likelihood_is_that_of_the_reported_parameters, case)
    yield _law(climb_laws.a_climb_ends_where_the_likelihood_is_flat, case)
    yield _law(climb_laws.a_climb_raises_the_penalised_likelihood, case)


def _of_missing_cells(case: Case, seeds: Sequence[int]) -> Iterator[Law]:
    """With some cells missing, if the family can do without."""
    if unit_model(case, 1).family.completing is None:
        return
    case = case if case.gaps else replace(case, gaps=GAPS)
    for seed in seeds:
        yield _law(missing_laws.a_missing_cell_is_integrated_out, case, seed)
        yield _law(missing_laws.where_no_cell_is_missing_flags_change_nothing, case, seed)
        if case.exact:
            yield _law(missing_laws.the_m_step_of_a_component_is_the_closed_form_of_its_cells, case, seed)
    for law in (
        missing_laws.a_component_may_see_no_cell_of_a_column,
        missing_laws.a_row_of_missing_cells_says_nothing,
        missing_laws.the_embedding_and_the_features_are_never_missing,
        missing_laws.missing_cells_are_filled_and_drawn,
        missing_laws.more_complete_rows_change_the_fit_less,
    ):
        yield _law(law, case)
