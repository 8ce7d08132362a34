"""The models that a run is to fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from em_cli.config.run_config import RunConfig
from em_cli.engine.events import Observer, ignore
from em_cli.engine.model import Model
from em_cli.errors import UsageError
from em_cli.models import specification
from em_cli.models.alternatives import Change, redescribed
from em_cli.models.groups import Group
from em_cli.models.variants import WEAK, Variant, models, variants
from em_cli.models.variational import MAP, hyperparameters_of
from em_cli.outputs.model_file import start_parameters
from em_cli.runs.climbing import algorithm_of
from em_cli.runs.configure import Settings
from em_cli.runs.few_rows import simpler_structures
from em_cli.runs.read import check_labels, too_few_rows
from em_cli.runs.too_many import NOTE as TOO_MANY
from em_cli.runs.too_many import hopeless, too_many_parameters
from em_cli.search.search import Task
from em_cli.search.survey import Survey, survey
from em_cli.sources.schema import Schema
from em_cli.sources.table import Data

AS_READ = "as read"  # columns are taken
TOO_FEW = "fewer distinct rows than components"


@dataclass(frozen=True, slots=True)
class Tasks:
    """The models to fit, and what is known of the rows."""

    survey: Survey
    variants: tuple[Variant, ...]
    tasks: tuple[Task, ...]
    too_large: tuple[tuple[str, int, str], ...]  # label and K of the models that cannot be fitted, and why
    simpler: tuple[str, ...] = ()  # covariance structures, where rows are few for the one that is fitted by default
    why_simpler: str = ""  # what to say of it

    @property
    def groups(self) -> tuple[Group, ...]:
        """Those of the first variant."""
        return self.variants[0].groups

    def variant_of(self, groups: tuple[Group, ...], covariance: str, latent: str) -> Variant:
        """That of a fit."""
        alike = (one for one in self.variants if one.groups == groups and one.covariance == covariance)
        return next(one for one in alike if one.latent == latent)

    def with_prior(self, places: Sequence[int]) -> dict[int, Task]:
        """The models at these places with a weak prior: those that have none, can have one, and begin anywhere."""
        tasks = {place: self.tasks[place] for place in places}
        return {
            place: replace(task, model=replace(task.model, prior=WEAK))
            for place, task in tasks.items()
            if task.start is None and not task.model.prior and task.model.family.penalty is not None
        }


def _variants(
    config: RunConfig, data: Data, families: Sequence[str], latents: Sequence[str], ways: Sequence[tuple[Change, ...]]
) -> list[Variant]:
    """Of every family and every way to take the columns."""
    by_name, taken = dict[str, tuple[Group, ...]](), dict[str, tuple[tuple[Change, ...], Schema | None]]()
    for changes in ways:
        own, described = redescribed(config, data, changes)
        way = ", ".join(change.word for change in changes) or (AS_READ if len(ways) > 1 else "")
        for family in families:
            name = ", ".join([*([family] if len(families) > 1 or not way else []), *([way] if way else [])])
            by_name[name] = specification.groups_of(own, described, family)
            taken[name] = changes, described.schema if changes else None
    found = variants(by_name, config.covariance, latents)
    if len(by_name) == 1:
        ((changes, schema),) = taken.values()
        return [replace(one, changes=changes, schema=schema) for one in found]
    return [replace(one, changes=taken[one.family][0], schema=taken[one.family][1]) for one in found]


def tasks_of(
    settings: Settings,
    data: Data,
    known: Survey | None = None,
    ways: Sequence[tuple[Change, ...]] = (),
    observe: Observer = ignore,
) -> Tasks:
    """Every variant with every number of components that the rows are enough for; `DataError` if that is none.

    The rows are surveyed unless they are `known`. More `ways` to take the columns may be given than the user named.
    """
    config, ks = settings.config, settings.ks
    compares = settings.request.compares
    families = specification.families_of(config) if compares else [specification.one_family(config)]
    if not compares and len(config.latents or ()) > 1:
        raise UsageError(f"fit takes one latent structure, not {len(config.latents or ())}; em select compares them.")
    latents = specification.latents_of(config, data, ks)
    all_ways = list(dict.fromkeys([*specification.ways_of(config, data), *ways]))
    tried = _variants(config, data, families, tuple(latents), all_ways)
    simpler, why_simpler = simpler_structures(settings, data, tried)
    if simpler:
        own = config.model_copy(update={"covariance": list(simpler)})
        tried = _variants(own, data, families, tuple(latents), all_ways)
    if len(tried) > 1 and not compares:
        raise UsageError(f"fit takes one covariance structure, not {len(tried)}; em select compares them.")
    check_labels(data, min(ks))
    if settings.previous is not None:
        settings.previous.check(data.schema)
    prior, hyperparameters = specification.prior_of(config), hyperparameters_of(config)
    known = known or survey(data.source, config.seed, observe)
    made = models(
        data.schema, data.source, known.columns, tried, ks, latents, prior, hyperparameters, config.inference == MAP
    )
    start = settings.start
    few = [model.n_components > most_components(model, known) for _, model in made]
    refused = (why for _, model in made if (why := algorithm_of(config).refuses(model)))
    if why := next(refused, None):
        raise UsageError(why)
    tasks = tuple(
        Task(label, model, start_parameters(start.path, start.text, model) if start else None)
        for (label, model), too_many in zip(made, few, strict=True)
        if not too_many and not hopeless(model, data)
    )
    if not tasks:
        smallest = made[0][1]
        if few[0]:
            raise too_few_rows(data, smallest.n_components, most_components(smallest, known))
        raise too_many_parameters(data, smallest, tried[0])
    too_large = tuple(
        (label, model.n_components, TOO_FEW if too_many else TOO_MANY)
        for (label, model), too_many in zip(made, few, strict=True)
        if too_many or hopeless(model, data)
    )
    return Tasks(known, tuple(tried), tasks, too_large, simpler, why_simpler)


def most_components(model: Model, known: Survey) -> int:
    """As many as rows differ; states of a chain may be alike but for when they come, so as many as there are rows."""
    return known.source.n_rows if model.in_time else known.n_distinct
