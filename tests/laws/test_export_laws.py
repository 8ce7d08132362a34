"""A model that is exported scores rows as the model itself does: every family that can be, with missing cells."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASE_MAKERS
from onnxruntime import InferenceSession
from scipy.special import logsumexp
from support import component_log_density, responsibilities, start, unit_model

from em_cli import parts
from em_cli.engine.arrays import take
from em_cli.exports.onnx_graph import onnx_bytes
from em_cli.exports.python import python_text
from em_cli.exports.statement import statement_of
from em_cli.families import FAMILIES
from em_cli.families.product import Product
from em_cli.families.variational.conjugate_families import conjugate_of
from em_cli.models.groups import Group
from em_cli.sources.schema import Column, Schema

NAMES = {FAMILIES.load(name): name for name in FAMILIES}
K = 3


def group_of(family, columns):
    options = {field: getattr(family, field) for field in parts.options_of(type(family))}
    return Group(NAMES[type(family)], tuple(map(int, columns)), options)


def groups_of(family, d):
    if isinstance(family, Product):
        return [group_of(*pair) for pair in zip(family.families, family.columns_of, strict=True)]
    return [group_of(family, range(d))]


def statement_for(case, x, model, parameters):
    """The statement of a model whose columns are numbers."""
    schema = Schema(tuple(Column(f"column {j}", "numeric") for j in range(len(x))))
    family = case.build(case.kinds)
    groups = groups_of(family, len(x))
    document = model.to_document(parameters) | {"latent": "independent", "family": NAMES[type(family)]}
    if "groups" in document:
        told = zip(document["groups"], groups, strict=True)
        document["groups"] = [own | {"family": group.family} for own, group in told]
    return statement_of(document, schema, groups, model.family, parameters.components)


def in_numpy(statement, x, na=()):
    """The scores (by name) of the rows x, by the module that is written for NumPy."""
    namespace = {}
    exec("".join(python_text(statement, na, ["scores"])), namespace)
    return namespace["predict"](dict(zip(statement.schema.names, x, strict=True)))


def in_onnx(statement, x, na=()):
    """The same by the graph of operators, in another program."""
    session = InferenceSession(b"".join(onnx_bytes(statement, na, ["scores"])), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, dict(zip(statement.schema.names, x, strict=True))), strict=True))
    return found | {f"p{k + 1}": own for k, own in enumerate(found["responsibilities"].T)}


CASES = [(name, case) for name, make in CASE_MAKERS.items() for case in make() if not case.name.endswith("-gaps")]


@pytest.mark.parametrize("run, separation", [(in_numpy, 4.0), (in_numpy, 1e5), (in_onnx, 4.0)])
@pytest.mark.parametrize("name, case", CASES, ids=[case.name for _, case in CASES])
def test_it_scores_rows_as_the_model_does(name, case, run, separation):
    case = replace(case, gaps=0.2)
    x, labels = case.rows(3, 40, separation, K)
    model = unit_model(case, K)
    parameters = start(model, x, responsibilities(3, labels, K, 0.3))
    found = run(statement_for(case, x, model, parameters), x)
    joint = component_log_density(model.family, parameters.components, x) + parameters.latent.log_weights[..., None]
    density = logsumexp(joint, axis=0)
    np.testing.assert_allclose(found["log_density"], density, rtol=1e-9, atol=1e-9)
    shares = np.stack([found[f"p{k + 1}"] for k in range(K)])
    np.testing.assert_allclose(shares, np.exp(joint - density), rtol=1e-8, atol=1e-9)
    assert (found["component"] == joint.argmax(axis=0) + 1).all()


NARROW = {
    "gamma": ("skewed", lambda at: {"shapes": [[at]] * 2, "scales": [[3 / at], [5 / at]]}, 3.0),
    "beta": ("proportion", lambda at: {"alphas": [[0.3 * at], [0.6 * at]], "betas": [[0.7 * at], [0.4 * at]]}, 0.3),
}


@pytest.mark.parametrize("size", [1e1, 1e6, 1e12])
@pytest.mark.parametrize("name", NARROW)
def test_narrow_components_lose_no_digits(name, size):
    kind, parameters, mean = NARROW[name]
    case = replace(CASE_MAKERS[name]()[0], kinds=(kind,))
    model = unit_model(case, 2)
    at = model.from_document(parameters(size) | {"weights": [0.5, 0.5]})
    x = np.array([[mean * (1 + z / size**0.5) for z in (-2.0, -0.1, 0.0, 0.7, 3.0)] + [0.1, 0.999]])
    found, known = in_numpy(statement_for(case, x, model, at), x), component_log_density(model.family, at.components, x)
    density = logsumexp(known + np.log(0.5), axis=0)
    np.testing.assert_allclose(found["log_density"], density, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("run", [in_numpy, in_onnx])
def test_numbers_that_stand_for_missing_cells_are_missing(run):
    case = CASE_MAKERS["gaussian"]()[0]
    x, labels = case.rows(3, 12, 4.0, K)
    model = unit_model(replace(case, gaps=0.2), K)
    statement = statement_for(case, x, model, start(model, x, responsibilities(3, labels, K, 0.3)))
    coded = x.copy()
    coded[0, ::3], coded[1, ::4], x[0, ::3], x[1, ::4] = -99.0, -98.5, np.nan, np.nan
    found, known = run(statement, coded, [-99.0, -98.5]), run(statement, x)
    np.testing.assert_array_equal(found["log_density"], known["log_density"])


@pytest.mark.parametrize("run", [in_numpy, in_onnx])
@pytest.mark.parametrize("name", ["gaussian-full", "gaussian-tied", "gaussian-diag", "gaussian-spherical", "poisson"])
def test_a_predictive_distribution_scores_rows_as_the_model_does(name, run):
    case = next(case for _, case in CASES if case.name == name)
    x, labels = case.rows(3, 40, 4.0, K)
    model = case.model(x, K)
    conjugate = conjugate_of(model.family)
    fitted = conjugate.approximated({})
    features = np.empty((fitted.n_features(), x.shape[1]))
    fitted.features(x, features)
    found = fitted.maximize(fitted.statistics(features, responsibilities(3, labels, K, 0.3)[None], None), None)
    predictive = conjugate.predictive()
    told = fitted.to_document(take(found, 0))
    components = predictive.from_document(told, K)
    document = told | {"weights": [0.2, 0.3, 0.5], "latent": "independent", "family": name.split("-")[0]}
    schema = Schema(tuple(Column(f"column {j}", "numeric") for j in range(len(x))))
    statement = statement_of(document, schema, groups_of(case.build(case.kinds), len(x)), predictive, components)
    joint = component_log_density(predictive, components, x) + np.log([[0.2], [0.3], [0.5]])
    np.testing.assert_allclose(run(statement, x)["log_density"], logsumexp(joint, axis=0), rtol=1e-9, atol=1e-9)
