"""`em parts`: what there is to choose from."""

import json
import os
import re
from functools import wraps
from types import SimpleNamespace

import numpy as np
import pytest
from program import ROOT, SAMPLES, checked, em, em_together

from em_cli.algorithms import ALGORITHMS
from em_cli.config.resolve import resolve
from em_cli.config.run_config import RunConfig
from em_cli.config.texts import record
from em_cli.config.yaml_text import parse
from em_cli.errors import UsageError
from em_cli.families import FAMILIES
from em_cli.families.covariances import COVARIANCES
from em_cli.latents import LATENTS
from em_cli.models import specification
from em_cli.models.groups import built, grouped, takes
from em_cli.models.variants import covariance_names
from em_cli.parts import check_options, options_of
from em_cli.registry import Registry
from em_cli.runners import RUNNERS
from em_cli.runs import search_plan
from em_cli.sources.schema import Column, Schema
from em_cli.starts import STARTS


def test_axes_and_their_parts(tmp_path):
    listed = em("parts", cwd=tmp_path).out
    assert f"algorithms   {', '.join(ALGORITHMS)}\n" in listed
    assert em("parts", "criteria", cwd=tmp_path).out.startswith("bic ")
    said = em("parts", "families", "multinomial", cwd=tmp_path).out
    assert said.endswith(
        "\nA row with a missing cell has no known total, and says nothing by these columns; its others count.\n"
    )


@pytest.mark.parametrize("axis", ["algorithms", "algorithm"])
def test_an_axis_is_named_in_the_plural_or_as_its_option(axis, tmp_path):
    lines = em("parts", axis, cwd=tmp_path).out.splitlines()
    assert [line.split()[0] for line in lines] == list(ALGORITHMS)
    assert lines[2].endswith("(memory = 10, warm_up = 2, longest = 0.5, shortenings = 5)")
    said = em("parts", axis, "lbfgs", cwd=tmp_path).out
    assert "\n  memory = 10  a whole number, at least 1: " in said
    assert said == em("parts", "lbfgs", cwd=tmp_path).out  # a part is found without its axis


def test_what_is_no_axis_and_no_part_is_refused(tmp_path):
    assert "Did you mean 'noise'?" in em("parts", "nois", cwd=tmp_path, status=2).err
    assert "Did you mean 'lbfgs'?" in em("parts", "algorithms", "lbfg", cwd=tmp_path, status=2).err


def other(setting):
    """A value of an option that is not its default."""
    for kind in setting.kinds:
        most = setting.option.most
        if kind in (int, float) and isinstance(setting.default, int | float):
            above = setting.default + kind(1)
            return above if most is None or above <= most else (setting.default + most) / 2
        if kind in (int, float):
            return kind(2)
        if kind is bool:
            return not setting.default
        if words := [word for word in setting.choices if word != setting.default]:
            return words[0]
    return {"covariance": "tied", "noise": "isotropic", "means": [[1.0], [2.0]]}[setting.name]


def options():
    registries = (FAMILIES, COVARIANCES, LATENTS, ALGORITHMS, STARTS, RUNNERS)
    for registry in registries:
        for name in registry.names():
            for setting in options_of(registry.load(name)).values():
                yield pytest.param(registry, name, setting, id=f"{registry.kind}-{name}-{setting.name}")


def build_all(config, name, registry):
    """What a run makes of a configuration, of one axis."""
    if registry is FAMILIES:
        schema = Schema((Column("a", takes(name)), Column("b", takes(name))))
        groups = grouped(schema, name, config.family_options, ())
        built(schema, groups, covariance_names(config.covariance, groups)[0])
    elif registry is LATENTS:
        specification.latents_of(
            config, SimpleNamespace(schema=Schema((Column("a", "numeric"),)), sequences=None), (2,)
        )
    elif registry is RUNNERS:
        search_plan.runner_of(config)
    else:
        search_plan.plan_of(config, None, False)


@pytest.mark.parametrize(("registry", "name", "setting"), list(options()))
def test_every_listed_option_can_be_set_and_arrives(registry, name, setting, monkeypatch):
    load, arrived, value = Registry.load, [], other(setting)

    def watched(self, wanted):
        part = load(self, wanted)

        @wraps(part)
        def made(*arguments, **named):
            arrived.append((self.kind, wanted, named))
            return part(*arguments, **named)

        return made

    key = {"algorithm": "search.algorithm", "start": "search.start"}.get(registry.kind, registry.kind)
    config = resolve(None, [f"{key}.{setting.name}={json.dumps(value)}", f"{key}={name}"], {"k": 2})
    monkeypatch.setattr(Registry, "load", watched)
    build_all(config, name, registry)
    (named,) = [named for kind, wanted, named in arrived if (kind, wanted) == (registry.kind, name)]
    assert named[setting.name] == value
    assert setting.option.says and setting.requirement and setting.schema
    if registry is not FAMILIES:
        again = record(config)
        assert resolve_text(again).model_dump() == config.model_dump()


def resolve_text(text):
    """The configuration that a run.yaml holds."""
    return RunConfig.model_validate(parse(text, "run.yaml").value)


@pytest.mark.parametrize(
    "registry", [FAMILIES, LATENTS, ALGORITHMS, STARTS, RUNNERS], ids=lambda registry: registry.kind
)
def test_an_option_that_is_not_there_is_refused_by_the_nearest_name(registry):
    for name in registry.names():
        for option in options_of(registry.load(name)):
            with pytest.raises(UsageError, match=f"has no option '{option}x'. Did you mean '{option}'"):
                check_options(f"{registry.kind} {name!r}", registry.load(name), {f"{option}x": 1})


PLUGIN = '''
"""Parts of a third party."""
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.protocols import Query
from em_cli.families.covariances.spherical import Spherical
from em_cli.families.covariances.structure import Letters
from em_cli.latents.independent import Independent, mixing_weights
from em_cli.parts import Option
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.runners.serial import Serial


@dataclass(frozen=True)
class Patient(EM):
    """EM that repeats its first step."""

    times: Annotated[int, Option("how often", least=0)] = 1

    def iterate(self, model, start):
        for _ in range(self.times):
            found = yield Query(start)
        while True:
            found = yield Query(found)


@dataclass(frozen=True)
class Stripes:
    """Rows in turn."""

    width: Annotated[int, Option("rows of a stripe", least=1)] = 1

    def labels(self, embedding, n_components, seed, weights=None):
        return (np.arange(embedding.shape[1]) // self.width) % n_components


@dataclass(frozen=True)
class Even(Independent):
    """Weights drawn towards equal ones."""

    pull: Annotated[float, Option("pseudo-rows of each component", least=0)] = 1.0

    @classmethod
    def of_document(cls, document):
        return cls(pull=document["pull"])

    def to_document(self, parameters):
        return super(Even, self).to_document(parameters) | {"pull": self.pull}

    def maximize(self, weight, statistics, parameters):
        drawn = weight + self.pull
        return mixing_weights(drawn / drawn.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Careful(Serial):
    """This thread, and each task several times."""

    times: Annotated[int, Option("how often", least=1)] = 2

    def map(self, task, source, shared, items):
        for item in items:
            yield [task(source, shared, item) for _ in range(self.times)][-1]


@dataclass(frozen=True)
class Balls:
    """Each component has a variance of its own."""

    letters: ClassVar[Letters] = Letters(*"VII")

    def constrain(self, owners, weight, scatter, floor, at=None, steps=60):
        return Spherical().constrain(owners, weight, scatter, floor, at, steps)


@dataclass(frozen=True)
class Sticks(OfTheWhole):
    """The mixing weights."""

    needs_rows: ClassVar[bool] = False

    def refusal(self, run, columns):
        return ""

    def picture(self, run, columns):
        def draw(figure, theme):
            figure.subplots().bar(range(run.k), run.weights[: run.k])

        return Picture("sticks", "Weights", "Of the components.", "A bar for each component.", (4.0, 3.0), draw)


def deviance(fit):
    """Minus twice the log-likelihood."""
    return -2 * fit.log_likelihood
'''

POINTS = """[em_cli.latents]
even = others:Even
[em_cli.algorithms]
patient = others:Patient
[em_cli.starts]
stripes = others:Stripes
[em_cli.runners]
careful = others:Careful
[em_cli.covariances]
balls = others:Balls
[em_cli.pictures]
sticks = others:Sticks
[em_cli.criteria]
deviance = others:deviance
"""


def test_parts_of_a_third_party_are_used_with_their_options(tmp_path):
    (tmp_path / "others.py").write_text(PLUGIN)
    about = tmp_path / "others-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(POINTS)
    env = {"PYTHONPATH": os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "tests")))}
    faithful = (SAMPLES / "faithful.csv", "--restarts", "1")
    chosen = ("--latent", "even", "--set", "latent.pull=1000", "--algorithm", "patient")
    more = ("--set", "search.algorithm.times=3", "--start", "stripes", "--set", "search.start.width=20")
    ours = ("--covariance", "balls", "--runner", "careful", "--set", "runner.times=3", "--out", "balls")
    told, *done, refused, swept = em_together(
        ("parts", "even"),
        ("fit", *faithful, "-k", "2", *chosen, *more, "--out", "run"),
        ("score", "run", SAMPLES / "faithful.csv"),
        ("parts", "runners"),
        ("fit", *faithful, "-k", "2", *ours),
        ("fit", *faithful, "-k", "2", "--covariance", "spherical", "--out", "spherical"),
        ("predict", "balls", SAMPLES / "faithful.csv"),
        ("plot", "balls", "--kind", "sticks", "--format", "svg", "--out", "drawn"),
        ("fit", *faithful, "-k", "2", "--latent", "even", "--set", "latent.pul=2"),
        ("select", *faithful, "--k-range", "1-2", "--criterion", "deviance", "--out", "sweep"),
        cwd=tmp_path,
        env=env,
    )
    for outcome in (told, *done, swept):
        checked(outcome, 0)
    assert "even (latent): Weights drawn towards equal ones." in told.out and "pull = 1.0" in told.out
    assert any(
        re.fullmatch(r"careful +This thread, and each task.* \(times = 2\)", line) for line in done[2].out.splitlines()
    )
    balls, spherical = (json.loads((tmp_path / name / "params.json").read_text()) for name in ("balls", "spherical"))
    variances = [np.diag(own).tolist() for own in balls["covariances"]]
    assert balls["covariance_type"] == "balls" and variances == [[own] * 2 for own in spherical["covariances"]]
    assert balls["log_likelihood"] == spherical["log_likelihood"] and len(done[5].out.splitlines()) == 273
    assert "<svg" in (tmp_path / "drawn" / "sticks.svg").read_text()
    found = json.loads((tmp_path / "run" / "params.json").read_text())
    assert found["latent"] == "even" and found["pull"] == 1000
    assert found["weights"] == pytest.approx([0.5, 0.5], abs=0.05)
    assert "latent: {name: even, pull: 1000}" in (tmp_path / "run" / "run.yaml").read_text()
    assert "Did you mean 'pull'?" in checked(refused, 2).err
    header, *rows = (tmp_path / "sweep" / "selection.csv").read_text().splitlines()
    assert "deviance" in header.split(",") and len(rows) == 2


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
