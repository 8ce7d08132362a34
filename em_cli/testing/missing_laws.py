"""Missing cells are integrated out: what every family that takes them obeys, on cases with gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.column_summary import summarize
from em_cli.engine.documents import field
from em_cli.engine.model import Model
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import (
    Case,
    component_log_density,
    features,
    flattened,
    responsibilities,
    start,
    unit_model,
)
from em_cli.testing.random_rows import axis

K = 3


def _begun(case: Case, seed: int) -> tuple[Array, Array, Model, object]:
    x, labels = case.rows(seed, 150)
    r, model = responsibilities(seed, labels, K, 0.3), case.model(x, K)
    return x, r, model, start(model, x, r).components


def a_missing_cell_is_integrated_out(case: Case, seed: int) -> None:
    """The density of a row without a cell is the integral over all values that the cell may have."""
    x, _, model, at = _begun(case, seed)
    mean, sd = model.family.moments(at)
    row = x[:, [0]]
    for j, kind in enumerate(case.kinds):
        nodes, masses = axis(kind, (mean - 12 * sd)[:, j].min(), (mean + 25 * sd)[:, j].max())
        rows = np.repeat(row, len(nodes), axis=1)
        rows[j] = nodes
        total = np.exp(component_log_density(model.family, at, rows)) @ masses
        without = row.copy()
        without[j] = np.nan
        assert np.allclose(component_log_density(model.family, at, without)[:, 0], np.log(total), atol=1e-8)


def where_no_cell_is_missing_flags_change_nothing(case: Case, seed: int) -> None:
    x, labels = replace(case, gaps=0.0).rows(seed, 120)
    r, columns = responsibilities(seed, labels, K, 0.3), summarize(InMemory(x))
    flagged = replace(columns, gaps=np.ones(len(x), np.bool_))
    models = [Model(case.build(case.kinds).bind(known), case.model(x, K).latent, K) for known in (columns, flagged)]
    ends = [start(model, x, r) for model in models]
    one, other = (component_log_density(model.family, at.components, x) for model, at in zip(models, ends, strict=True))
    assert np.allclose(one, other, rtol=1e-11, atol=1e-11)
    mine, its = (model.to_document(at) for model, at in zip(models, ends, strict=True))
    assert all(np.allclose(flattened(its[name]), flattened(mine[name]), rtol=1e-11) for name in mine)


def the_m_step_of_a_component_is_the_closed_form_of_its_cells(case: Case, seed: int) -> None:
    x, r, model, at = _begun(case, seed)
    document = model.family.to_document(at)
    for k in range(K):
        expected = case.closed_form(model.family, x, r[k])
        for name, numbers in expected.items():
            assert np.allclose(flattened(field(document, name)[k]), flattened(numbers), rtol=1e-10, atol=1e-13), name


def a_component_may_see_no_cell_of_a_column(case: Case) -> None:
    x, labels = case.rows(1, 150)
    labels = np.where(np.isnan(x[0]), 0, 1 + labels % (K - 1))
    model = case.model(x, K)
    at = start(model, x, np.eye(K)[:, labels])
    assert np.isfinite(component_log_density(model.family, at.components, x)[:, np.isnan(x[0])]).all()
    mean, sd = model.family.moments(at.components)
    assert np.isfinite(mean).all() and np.isfinite(sd).all()
    assert np.isfinite(component_log_density(model.family, at.components, x)).all()


def a_row_of_missing_cells_says_nothing(case: Case) -> None:
    _, _, model, at = _begun(case, 2)
    nothing = np.full((len(case.kinds), 1), np.nan)
    assert (component_log_density(model.family, at, nothing) == 0).all()


def the_embedding_and_the_features_are_never_missing(case: Case) -> None:
    x, _, model, _ = _begun(case, 3)
    assert np.isfinite(model.family.embedding(x)).all()
    assert np.isfinite(features(model.family, x)).all()
    assert np.isfinite(unit_model(case, K).family.embedding(np.full_like(x, np.nan))).all()


def missing_cells_are_filled_and_drawn(case: Case) -> None:
    x, r, model, at = _begun(case, 4)
    labels, completing = r.argmax(axis=0), model.family.completing
    assert completing is not None, "a family that takes missing cells can fill them"
    filled = completing.complete(x, at, np.eye(K)[:, labels])
    drawn = np.stack([completing.draw(x, at, labels, np.random.default_rng(seed)) for seed in range(400)])
    missing = np.isnan(x)
    for whole in (filled, *drawn):
        assert np.isfinite(whole).all()
        assert (whole[~missing] == x[~missing]).all()
    mean, sd = (moment[labels].T for moment in model.family.moments(at))
    if not case.exact:  # the other cells of the row tell something
        mean = filled
    angle = np.array([kind == "angle" for kind in case.kinds])[:, None]
    away = np.where(angle, np.remainder(drawn - mean + np.pi, 2 * np.pi) - np.pi, drawn - mean)
    assert (np.abs(away.mean(axis=0)) <= 6 * sd / np.sqrt(400) + 1e-12)[missing].all()
    conditional = np.array([kind in ("real", "positive", "skewed", "proportion") for kind in case.kinds])
    assert np.allclose(filled[conditional], np.where(missing, mean, x)[conditional], rtol=1e-9)


def more_complete_rows_change_the_fit_less(case: Case) -> None:
    """In the limit the fit is that of complete rows."""
    x, labels = replace(case, gaps=0.0).rows(5, 400)
    r = responsibilities(5, labels, K, 0.3)
    whole = case.model(x, K)
    expected, _ = whole.family.moments(start(whole, x, r).components)
    order, away = np.random.default_rng(5).permutation(x.size), []
    for share in (0.3, 0.03, 0.003):
        some = x.copy().ravel()
        some[order[: int(share * x.size)]] = np.nan
        model = case.model(some.reshape(x.shape), K)
        mean, _ = model.family.moments(start(model, some.reshape(x.shape), r).components)
        away.append(np.abs(mean - expected).max())
    assert away[2] < away[0]
