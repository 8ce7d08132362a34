"""Whether other families describe columns better: asked of refits, which go on from the fit that was found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.events import Observer, PhaseStarted, ignore
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Runner
from em_cli.engine.scoring import score_block
from em_cli.engine.stopping import Stopping
from em_cli.errors import EmError, UsageError
from em_cli.models.alternatives import Change, alternatives, redescribed
from em_cli.models.groups import Group, options_of
from em_cli.models.specification import families_of, groups_of, one_family
from em_cli.models.variants import Variant, models, variants
from em_cli.models.variational import VARIATIONAL
from em_cli.runs.configure import Settings
from em_cli.runs.record import Record
from em_cli.runs.tasks import Tasks, tasks_of
from em_cli.search.effort import EFFORTS
from em_cli.search.ledger import DegeneracyCheck, Fitted, reach
from em_cli.search.search import Plan, search
from em_cli.search.survey import SAMPLE_ROWS, Survey
from em_cli.sources.quoting import listed
from em_cli.sources.schema import Schema
from em_cli.sources.table import Data

WORTH_SAYING = 10.0  # by which BIC must fall: "very strong" (Kass & Raftery 1995)
FIRST = Stopping(0.5, 6)  # passes of every refit
THEN = Stopping(0.1, 40)  # of those that may yet be worth it
BETWEEN = "gamma"  # a normal and a lognormal distribution
GAUSSIAN = "gaussian"
TOO_MANY = 2  # parameters for each row, from where BIC tells nothing
SMALL_K = 3  # components, from which changes are looked for: more of them can make up for a wrong family
LEAST = 4  # refits, if they cost no more together than MOST_WORK a round
BUDGET = 6e6  # rows times components times passes, more where features are many: as a stage of a search may take
MOST_WORK = 4e6, 2e7  # of the last refits of a round, and of all that follows one after the other
BY_ITSELF = 4  # times as long as products, a family takes that evaluates its densities otherwise
PASSES = 100, 50  # of a search from a few starts, in all and for each start
APART = 4e4  # the least that a pass of one refit counts: no other model shares it
FEATURES = 80  # whose products take as long as the softmax of a row and component
MOST_CHANGES = 4  # that are told together
FEW_STARTS = (2, 8)  # each of which `em fit` climbs from as well
REFITS, SEARCHES = 0.65, 0.85  # as a rule, of the work: what is done when refits, and when searches begin
ENOUGH = 0.9  # of what refits promise: who follows what is said finds that at least, and likely more
OTHER_FAMILIES = "other families"
SHORT = replace(EFFORTS["low"], starts=4)  # a search that ends no higher than that of who follows what is said


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """What refits need to know of a run."""

    settings: Settings
    data: Data
    survey: Survey
    runner: Runner
    plan: Plan
    halted: Callable[[], bool]
    observe: Observer = ignore
    asked: bool = False  # whether the user has asked for families, and waits
    told: str = ""  # options for what is taken by default in these rows

    def tell(self, begins: float, ends: float) -> None:
        """How much of the work is done, and will be when what begins now has ended."""
        self.observe(PhaseStarted(OTHER_FAMILIES, 0, begins=begins, ends=ends))

    def of_one(self, variant: Variant) -> Refits:
        """The same, had the user asked for just this variant."""
        settings = self.settings
        config, data = redescribed(settings.config, self.data, variant.changes)
        update: dict[str, object] = {"covariance": [variant.covariance]} if config.covariance else {}
        update["family"] = families_of(config)[0]
        if len(families_of(config)) > 1:
            name = variant.family.partition(", ")[0]
            own = {option: value for option, value in config.family_options.items() if option in options_of(name)}
            update |= {"family": name, "family_options": own}
        request = replace(settings.request, command="fit")
        settings = replace(settings, config=config.model_copy(update=update), request=request)
        return replace(self, settings=settings, data=data)

    @property
    def n_rows(self) -> float:
        """As criteria count them."""
        weight = self.data.total_weight
        return float(self.data.source.n_rows if weight is None else weight)

    def bic(self, result: FitResult) -> float:
        return -2 * result.log_likelihood + result.candidate.model.n_parameters * log(self.n_rows)


Changes = tuple[Change, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Refit:
    """A fit with some columns taken otherwise."""

    changes: Changes
    groups: tuple[Group, ...]
    data: Data
    result: FitResult


Sets = dict[Changes, dict[int, _Refit]]  # of changes, with the refits of fits of so many components


def better_families(refits: Refits, found: FitResult) -> _Refit:
    """With columns taken otherwise, one after the other that which lowers BIC most; none if nothing does by enough."""
    config, data = refits.settings.config, refits.data
    now = _Refit((), groups_of(config, data, one_family(config)), data, found)
    able = candidates(refits, now.groups, now.data.schema, now.result.candidate.model)
    most = _rounds(refits, found.candidate.model)
    while able and len(now.changes) < most and not refits.halted():
        limit = refits.bic(now.result) - WORTH_SAYING
        made = sorted(_in_turn(refits, now, able), key=lambda each: refits.bic(each.result))
        gaining = [each for each in made if refits.bic(each.result) < limit]  # the others are not tried again
        best = next((place for place, each in enumerate(gaining) if _for_its_own_sake(refits, now, each)), None)
        if best is None:
            break
        now, left = gaining[best], [each.changes[-1] for each in gaining[best + 1 :]]
        able = [one for one in left if one.column != now.changes[-1].column]
    return now


def _for_its_own_sake(refits: Refits, now: _Refit, made: _Refit) -> bool:
    """Whether the last change gains by the family, and not only for its column being apart, without covariances."""
    change = made.changes[-1]
    alike = next(
        group for group in now.groups for place in group.columns if now.data.schema.names[place] == change.column
    )
    alone = len(alike.columns) == 1 or "covariance" not in options_of(alike.family)
    if change.transform is not None or alone:
        return True
    apart = _refitted(refits, now.result, [(*now.changes, Change(change.column, GAUSSIAN))])
    return all(refits.bic(each.result) - refits.bic(made.result) > WORTH_SAYING for each in apart)


def _in_turn(refits: Refits, now: _Refit, tried: Sequence[Change]) -> list[_Refit]:
    """Refits of these changes, gamma only of columns that gain on a log scale, where it is less skewed."""
    at_first = [one for one in tried if one.family != BETWEEN]
    made = _refitted(refits, now.result, [(*now.changes, one) for one in at_first])
    limit = refits.bic(now.result) - WORTH_SAYING / 2
    better = {each.changes[-1].column for each in made if refits.bic(each.result) < limit}
    alone = {one.column for one in tried} - {one.column for one in at_first}
    then = [one for one in tried if one.family == BETWEEN and one.column in better | alone]
    return made + _refitted(refits, now.result, [(*now.changes, one) for one in then])


def candidates(refits: Refits, groups: Sequence[Group], schema: Schema, model: Model) -> list[Change]:
    """Those of the columns that are most skewed first, as many as may be tried."""
    given = {name for group in refits.settings.config.groups for name in group.columns}
    block = refits.survey.block
    found: list[tuple[float, list[Change]]] = []
    for group in groups:
        for place in group.columns:
            column, values = schema.columns[place], block.x[place]
            if (
                column.name not in given
                and "means" not in group.options
                and (able := alternatives(column, group, values))
            ):
                found.append((-_skewness(values), able))
    most = _affordable(refits, model, FIRST)
    return [change for _, able in sorted(found, key=lambda one: one[0]) for change in able][:most]


def _affordable(refits: Refits, model: Model, stopping: Stopping) -> int | None:
    """How many refits of so many passes may be made; None if the user wants all."""
    if refits.settings.config.search.other_families:
        return None
    cost, passes = _cost(refits, model), stopping.max_iterations
    least = LEAST if refits.asked else int(np.clip(MOST_WORK[0] / (cost * passes), 1, LEAST))
    return max(least, int(BUDGET / (max(cost, APART) * passes)))


def _cost(refits: Refits, model: Model) -> float:
    """Of a pass, in rows times components, more where features are many or products do not do."""
    family = model.family
    by_itself = BY_ITSELF if family.exponential is None else 1
    return by_itself * refits.survey.block.n_rows * model.n_components * (1 + family.n_features() / FEATURES)


def _rounds(refits: Refits, model: Model) -> int:
    """How many columns may be taken otherwise, one after the other."""
    first, then = (_affordable(refits, model, stopping) for stopping in (FIRST, THEN))
    if first is None or then is None or refits.asked:
        return MOST_CHANGES
    passes = min(first, LEAST) * FIRST.max_iterations + min(then, LEAST) * THEN.max_iterations
    return int(np.clip(MOST_WORK[1] / (_cost(refits, model) * passes), 1, MOST_CHANGES))


def _plans(refits: Refits, model: Model) -> list[Plan]:
    """Searches that find what is promised, each more thorough than the one before; the first whatever it costs."""
    plans = {starts: replace(refits.plan, restarts=starts) for starts in FEW_STARTS}
    plans[4 * SHORT.starts] = replace(refits.plan, effort=SHORT)  # of so many kinds
    if refits.settings.config.search.other_families:
        return [*plans.values()]
    most = MOST_WORK[1] / _cost(refits, model)
    return [plan for starts, plan in plans.items() if starts == FEW_STARTS[0] or PASSES[0] + PASSES[1] * starts <= most]


def _skewness(values: Array) -> float:
    x = values[~np.isnan(values)]
    deviations = x - x.mean()
    return float(abs((deviations**3).mean()) / max(float((deviations**2).mean()) ** 1.5, np.finfo(float).tiny))


def _refitted(refits: Refits, before: FitResult, wanted: Sequence[Changes]) -> list[_Refit]:
    """Refits with such changes, from the responsibilities of the fit before; those that promise a lower BIC."""
    block, k = refits.survey.block, before.candidate.model.n_components
    at = score_block(before.candidate.model, before.parameters, block).responsibilities[:k]
    described: dict[int, tuple[Changes, tuple[Group, ...], Data]] = {}
    climbs: list[Candidate] = []
    for changes in wanted:
        config, data = redescribed(refits.settings.config, refits.data, changes)
        try:
            groups = groups_of(config, data, one_family(config))
            (variant,) = variants({"": groups}, config.covariance)
            ((_, model),) = models(data.schema, data.source, refits.survey.columns, [variant], [k])
        except EmError:  # it does not go with what was asked for besides
            continue
        if refits.plan.algorithm.refuses(model) is not None:
            continue
        described[id(model)] = (changes, groups, data)
        climbs.append(Candidate(model, EM(), model.start(block, at), 0))
    return [_Refit(*described[id(r.candidate.model)], r) for r in _climbed(refits, before, climbs)]


def _climbed(refits: Refits, before: FitResult, climbs: Sequence[Candidate]) -> list[FitResult]:
    """The ends of climbs that are sound, of those that promise a lower BIC than the fit before."""
    source, runner = refits.survey.source, refits.runner
    first = fit(climbs, source, runner, FIRST, halted=refits.halted) if climbs else []
    limit = refits.bic(before) - WORTH_SAYING / 2
    within = [(refits.bic(replace(r, log_likelihood=reach(r))), r) for r in first]
    promising = [r for bic, r in sorted(within, key=lambda one: one[0]) if bic < limit]
    promising = promising[: _affordable(refits, before.candidate.model, THEN)]
    onwards = [
        replace(r.candidate, algorithm=refits.plan.algorithm.from_sample or refits.plan.algorithm, start=r.parameters)
        for r in promising
    ]
    last = fit(onwards, source, runner, THEN, halted=refits.halted) if onwards else []
    checked = DegeneracyCheck(refits.survey, runner)(last) if last else []
    return [result for result, degeneracies in zip(last, checked, strict=True) if not any(degeneracies)]


def searched(refits: Refits, k: int, changes: Changes, enough: float) -> float:
    """BIC of what a short search finds with these changes, and `em fit` at least; infinite where nothing is sound.

    Climbs from a few of the starts do for a search where their end has a BIC that is low enough, or rows are many.
    """
    config, data = redescribed(refits.settings.config, refits.data, changes)
    wanted = tasks_of(replace(refits.settings, config=config, ks=(k,)), data, refits.survey)
    lowest = float("inf")
    for plan in _plans(refits, wanted.tasks[0].model):
        (found,) = search(wanted.tasks, refits.survey, refits.runner, plan, halted=refits.halted)
        if refits.halted():
            return float("inf")
        if found.chosen is not None and not any(found.degeneracies):
            lowest = min(lowest, refits.bic(found.chosen))
        if lowest <= enough:
            break
    return lowest


def _refits_of(refits: Refits, k: int, before: FitResult, sets: Sets) -> list[_Refit]:
    """Refits of a fit with all sets of changes; one with a single change may be known."""
    known = [own[k] for changes, own in sets.items() if k in own and len(changes) == 1]
    others = [changes for changes, own in sets.items() if not (k in own and len(changes) == 1)]
    return known + (_refitted(refits, before, others) if others else [])


def suggestion(refits: Refits, fits: Mapping[int, FitResult], k: int) -> tuple[str, str] | None:
    """What to say of columns that are better taken otherwise, and the options: at k, or at fewer components where
    these were fitted."""
    before = refits.bic(fits[k])
    seeds = [other for other in fits if other <= min(k, SMALL_K) or other == k]
    sets = _sets(refits, {seed: fits[seed] for seed in seeds}, 0.0, REFITS)
    refits.tell(REFITS, SEARCHES)
    made = [(other, each) for other in fits if other <= k for each in _refits_of(refits, other, fits[other], sets)]
    if not made or refits.halted():
        return None
    best_k, best = min(made, key=lambda one: refits.bic(one[1].result))
    if before - refits.bic(best.result) <= WORTH_SAYING:
        return None
    refits.tell(SEARCHES, 1.0)
    promised = before - refits.bic(best.result)
    gain = before - searched(refits, best_k, best.changes, before - max(ENOUGH * promised, WORTH_SAYING))
    if gain <= WORTH_SAYING:
        return None
    said = " and ".join(change.described for change in best.changes)
    options = " ".join(filter(None, [*(change.option for change in best.changes), refits.told]))
    return f"taking {said} lowers BIC by at least {floor(10 * gain) / 10:,.1f} (k = {best_k}): {options}", options


def warn_of_families(refits: Refits, fits: Sequence[Fitted], variant: Variant, k: int, record: Record) -> None:
    """Say whether BIC would be lower at the k that was chosen, or at fewer components, were columns taken otherwise."""
    settings, asked = refits.settings, refits.settings.config.search.other_families
    sound = {
        fitted.n_components: fitted.chosen
        for fitted in fits
        if fitted.label == variant.label and fitted.chosen is not None and not any(fitted.degeneracies)
    }
    plain = variant.latent == "independent" and not refits.data.label_names and settings.start is None
    if refits.plan.algorithm.objective != LOG_LIKELIHOOD or settings.config.inference == VARIATIONAL:
        return
    if asked is False or not plain or k not in sound or sound[k].candidate.model.prior or refits.halted():
        return
    refits = refits.of_one(variant)
    if asked is None and sound[k].candidate.model.n_parameters >= TOO_MANY * refits.n_rows:
        return
    if asked is None and refits.survey.source.n_rows > SAMPLE_ROWS:
        if able := candidates(refits, variant.groups, refits.data.schema, sound[k].candidate.model):
            names = listed(list(dict.fromkeys(change.column for change in able)))
            said = f"other families for {names} were not tried, rows being many: --other-families tries them"
            record.warn("families_untried", said)
        return
    if found := suggestion(refits, sound, k):
        said, record.better = found
        record.warn("other_family", said)


def families_found(refits: Refits, wanted: Tasks) -> list[Changes]:
    """Other ways to take the columns, found from fits of few components, where these cannot make up for a family."""
    first = next((one for one in wanted.variants if one.latent == "independent"), None)
    if first is None or refits.data.label_names:
        raise UsageError("--family search compares mixtures of independent rows without labels: name families instead.")
    few = [task for task in wanted.tasks if task.label == first.label and task.model.n_components <= SMALL_K]
    tasks = few or [task for task in wanted.tasks if task.label == first.label][:1]
    refits, plan = replace(refits, asked=True), replace(refits.plan, effort=EFFORTS["low"])
    refits.tell(0.0, 1 - REFITS)
    fits = search(tasks, refits.survey, refits.runner, plan, halted=refits.halted)
    sound = [fitted for fitted in fits if not any(fitted.degeneracies)]
    found = {fitted.n_components: fitted.chosen for fitted in sound if fitted.chosen is not None}
    return [*_sets(refits.of_one(first), found, 1 - REFITS, 1.0)]


def _sets(refits: Refits, fits: Mapping[int, FitResult], begins: float, ends: float) -> Sets:
    """What each of these fits, by their numbers of components, would have taken otherwise."""
    sets: Sets = {}
    step = (ends - begins) / max(1, sum(fits))
    for k, result in fits.items():
        refits.tell(begins, begins := begins + step * k)
        if (better := better_families(refits, result)).changes:
            sets.setdefault(better.changes, {})[k] = better
    return sets
