"""A model that is exported scores rows as the model itself does: every family that can be, with missing cells."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASE_MAKERS
from scipy.special import logsumexp
from support import component_log_density, responsibilities, start, unit_model

from em_cli import parts
from em_cli.exports.python import python_text
from em_cli.exports.statement import statement_of
from em_cli.families import FAMILIES
from em_cli.families.product import Product
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


def exported(case, x, model, parameters):
    """The scores (by name) of the rows x, by the module that is written for NumPy."""
    schema = Schema(tuple(Column(f"column {j}", "numeric") for j in range(len(x))))
    family = case.build(case.kinds)
    groups = groups_of(family, len(x))
    document = model.to_document(parameters) | {"latent": "independent", "family": NAMES[type(family)]}
    if "groups" in document:
        told = zip(document["groups"], groups, strict=True)
        document["groups"] = [own | {"family": group.family} for own, group in told]
    statement = statement_of(document, schema, groups, model.family, parameters.components)
    namespace = {}
    exec("".join(python_text(statement, [], ["scores"])), namespace)
    return namespace["predict"](dict(zip(schema.names, x, strict=True)))


CASES = [(name, case) for name, make in CASE_MAKERS.items() for case in make() if not case.name.endswith("-gaps")]


@pytest.mark.parametrize("separation", [4.0, 1e5])
@pytest.mark.parametrize("name, case", CASES, ids=[case.name for _, case in CASES])
def test_it_scores_rows_as_the_model_does(name, case, separation):
    case = replace(case, gaps=0.2)
    x, labels = case.rows(3, 40, separation, K)
    model = unit_model(case, K)
    parameters = start(model, x, responsibilities(3, labels, K, 0.3))
    found = exported(case, x, model, parameters)
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
    found, known = exported(case, x, model, at), component_log_density(model.family, at.components, x)
    density = logsumexp(known + np.log(0.5), axis=0)
    np.testing.assert_allclose(found["log_density"], density, rtol=1e-9, atol=1e-9)
