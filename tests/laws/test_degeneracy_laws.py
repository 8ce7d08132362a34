"""A collapsing component has a high likelihood for no good reason: it never wins, and stops nobody else."""

import numpy as np
import pytest
from cases import CLIMBED, structures
from support import bound_model, climb, default_plan, find, find_one, reference_rows, responsibilities, rows, start

from em_cli.algorithms.em import EM
from em_cli.engine.climb import Candidate
from em_cli.engine.fit import fit
from em_cli.engine.stopping import Stopping
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian import collapse
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.search.ledger import DegeneracyCheck, Verdict
from em_cli.search.survey import survey
from em_cli.search.too_few_rows import too_few_rows
from em_cli.sources.in_memory import InMemory

each_covariance = pytest.mark.parametrize("covariance", CLIMBED)


def tied_rows(n: int, copies: int) -> np.ndarray:
    """Two groups, and some rows of which the others are copies."""
    x, _ = rows(("real", "real"), 21, n - copies, 4.0, 2)
    return np.concatenate([x, np.repeat(x[:, :1] + 1.5, copies, axis=1)], axis=1)


def spiked(n: int) -> np.ndarray:
    """One value many times in one column, another one in the other."""
    x, _ = rows(("real", "real"), 22, n, 3.0, 2)
    x[1, : n // 10] = 2.0
    x[0, n // 10 : n // 6] = -1.0
    return x


@each_covariance
@pytest.mark.parametrize("copies", [2, 12])
def test_verdicts_are_those_of_all_that_is_counted(covariance, copies):
    """Where copies of a row are few, most mixtures are seen to be sound by what EM has counted."""
    corner = np.repeat(np.array([[20, 20.5, 20], [20, 20, 20.6]]), copies, axis=1)
    x = np.concatenate([np.round(tied_rows(240, 2), 1), corner], axis=1)
    known = survey(InMemory(x))
    check, model = DegeneracyCheck(known, Serial()), bound_model(Gaussian(covariance), known.source, 5)
    labels = np.random.default_rng(copies).integers(0, 4, (8, x.shape[1]))
    labels[:4, 240:] = 4
    starts = [start(model, x, responsibilities(seed, own, 5, 0.9)) for seed, own in enumerate(labels)]
    candidates = [Candidate(model, EM(), own, 0) for own in starts]
    ends = fit(candidates, known.source, Serial(), Stopping(max_iterations=60))
    found = check(ends)
    assert check.most_alike is not None
    check.most_alike = None
    assert found == check(ends)


def at_resolution(fitted) -> bool:
    return any(found and found.at_resolution for found in fitted.degeneracies)


@each_covariance
@pytest.mark.parametrize("x", [tied_rows(240, 40), spiked(240)], ids=["tied rows", "spikes"])
def test_ties_do_not_win(covariance, x):
    fits = find(Gaussian(covariance), x, [1, 2, 3, 4] if covariance in COVARIANCES.aliases else [3])
    for fitted in fits:
        assert fitted.chosen is not None, fitted.failure
        assert not at_resolution(fitted)
        assert np.isfinite(fitted.chosen.log_likelihood)
        for entry in fitted.ledger:
            if entry.result.log_likelihood > fitted.chosen.log_likelihood + 0.05:
                assert entry.verdict is Verdict.DEGENERATE
                assert entry.reason


def test_ties_do_collapse_some_starts_and_the_ledger_says_so():
    fitted = find(Gaussian("full"), tied_rows(240, 40), [3])[0]
    degenerate = [entry for entry in fitted.ledger if entry.verdict is Verdict.DEGENERATE]
    assert degenerate
    assert all(entry.reason for entry in degenerate)


@pytest.mark.parametrize("covariance", structures())
def test_a_collapsing_climb_leaves_the_others_alone(covariance):
    x = tied_rows(240, 40)
    model = bound_model(Gaussian(covariance), InMemory(x), 2)
    apart = (np.arange(240) >= 200).astype(np.intp)
    collapsing = start(model, x, responsibilities(1, apart, 2, 0.0))
    sound = start(model, x, responsibilities(1, np.arange(240) % 2, 2, 0.8))
    alone = climb(model, InMemory(x), sound, Stopping(1e-6, 300))
    candidates = [Candidate(model, alone.candidate.algorithm, s, i) for i, s in enumerate((collapsing, sound))]
    together = fit(candidates, InMemory(x), Serial(), Stopping(1e-6, 300))
    assert together[1].trace == alone.trace
    assert np.isfinite(together[0].log_likelihood)
    assert np.diff(together[0].trace).min() >= -1e-9 * abs(together[0].log_likelihood)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "EII", "VEV"])
def test_what_is_taken_for_broad_at_sight_is_judged_as_if_it_were_looked_at(covariance, monkeypatch):
    """Components of all widths, round and narrow in one direction, on few rows and on many."""
    rng, count = np.random.default_rng(5), 400
    family = bound_model(Gaussian(covariance), InMemory(np.round(tied_rows(240, 40), 3)), 2).family
    widths = 10.0 ** np.where(rng.random((count, 2)) < 0.5, rng.uniform(-9, 1, (count, 2)), 0.0)
    turns = np.linalg.qr(rng.standard_normal((count, 2, 2)))[0]
    matrices = (turns * widths[:, None]) @ turns.swapaxes(-1, -2)
    sizes = np.diagonal(matrices, axis1=-2, axis2=-1) if family.letters.diagonal else matrices
    at, support = family.completed(np.zeros((count, 2)), sizes), rng.choice([1.0, 3.0, 4.0, 12.0, 40.0], count)
    found = family.degenerate(at, support)
    monkeypatch.setattr(collapse, "SURELY", 0.0)
    assert found == family.degenerate(at, support)
    assert not all(found) and (any(found) or family.letters.bounded(2))


@pytest.mark.parametrize("k", [9, 10])
def test_old_faithful_with_many_components_is_not_chosen_at_the_floor(k):
    fitted = find(Gaussian("full"), reference_rows("faithful.csv", ("eruptions", "waiting")), [k])[0]
    assert fitted.chosen is not None
    assert not at_resolution(fitted)


def test_where_all_rows_are_in_few_places_the_failure_is_said():
    x = np.repeat(np.array([[0.0, 10.0], [0.0, 10.0]]), 20, axis=1) + 0.0
    x[1] += np.tile([0.0, 1.0], 20)
    fitted = find(Gaussian("full"), x, [4])[0]
    assert fitted.chosen is None
    assert "every start degenerate" in fitted.failure


@each_covariance
@pytest.mark.parametrize("offset", [1e8, -1e8])
def test_an_offset_collapses_nothing(covariance, offset):
    x, _ = rows(("real", "real"), 23, 300, 5.0)
    x = np.round(x * 64) / 64
    here, there = (find_one(Gaussian(covariance), x + shift, 3, default_plan()) for shift in (0.0, offset))
    assert there.log_likelihood == pytest.approx(here.log_likelihood, abs=1e-6)


@each_covariance
def test_few_rows_still_have_a_fit(covariance):
    x, _ = rows(("real",), 24, 6, 8.0, 2)
    fitted = find(Gaussian(covariance), x, [2])[0]
    assert fitted.chosen is not None
    assert not at_resolution(fitted)


def test_a_column_may_be_a_copy_of_another():
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.standard_normal((2, 60)), rng.standard_normal((2, 60)) + 5], axis=1)
    alone = find_one(Gaussian(), x, 2)
    both = find_one(Gaussian(), np.concatenate([x, 2 * x[:1] + 1]), 2)
    assert np.allclose(np.sort(both.weight), np.sort(alone.weight), atol=0.05)


@each_covariance
@pytest.mark.parametrize("k", [1, 3])
def test_too_few_rows_are_told_before_any_search_where_none_finds_a_sound_fit(covariance, k):
    """Rows that are all different, and a few more columns than a share of them could tell."""
    x, _ = rows(("real",) * 4, 25, 5 * k, 1.0)
    model = bound_model(Gaussian(covariance), InMemory(x), k)
    said = too_few_rows(model, survey(InMemory(x)))
    (fitted,) = find(Gaussian(covariance), x, [k])
    assert not said or fitted.chosen is None
    assert said or covariance != "full"


def test_too_few_cells_are_told_before_any_search():
    """Rows enough, most cells of which are missing: a search of plain likelihood would be for nothing."""
    x, _ = rows(("real",) * 6, 26, 60, 1.0)
    x[np.random.default_rng(7).random(x.shape) < 0.8] = np.nan
    x = x[:, ~np.isnan(x).all(axis=0)]
    said = [too_few_rows(bound_model(Gaussian("full"), InMemory(x), k), survey(InMemory(x))) for k in (1, 3)]
    assert said == ["", f"{np.isfinite(x).sum()} cells are seen, fewer than the 83 parameters"]
    assert find(Gaussian("full"), x, [3])[0].chosen is None
