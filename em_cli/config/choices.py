"""Parts that a configuration chooses by name, with options: which keys, of which axis, and whether they are there."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from em_cli.algorithms import ALGORITHMS
from em_cli.config.choice import AUTO, CONCOMITANT, GROUPED, INDEPENDENT, NOISE, Choice
from em_cli.config.run_config import RunConfig
from em_cli.errors import UsageError
from em_cli.latents import LATENTS
from em_cli.parts import check_options, options_of
from em_cli.registry import Registry
from em_cli.runners import RUNNERS
from em_cli.starts import STARTS

Key = tuple[str, ...]

AXES: Mapping[Key, Registry[Any]] = {
    ("latent",): LATENTS,
    ("search", "algorithm"): ALGORITHMS,
    ("search", "start"): STARTS,
    ("runner",): RUNNERS,
}
ELSEWHERE = "dask"  # the runner that computes in other processes, whose workers read the rows of this one
SHORT_FORMS: Mapping[str, tuple[str, str]] = {
    "noise": ("latent", "density"),
    "mixing_weights": ("latent", "weights"),
    "threads": ("runner", "workers"),
}  # keys that stand for an option of a part


def latent_choice(config: RunConfig) -> Choice:
    """The latent structure, in whichever spelling."""
    own = config.latent
    name = own.name if own else INDEPENDENT if config.noise is False else NOISE
    if config.data.group is not None and name == INDEPENDENT:
        name = GROUPED
    elif config.concomitant and name == INDEPENDENT:
        name = CONCOMITANT
    return Choice(name=name, **(_short_options(config, "latent") | (own.options if own else {})))


def latent_choices(config: RunConfig) -> list[Choice]:
    """All latent structures that are to be compared; the options are those of the one that has been given them."""
    own = latent_choice(config)
    names = dict.fromkeys(config.latents or [own.name])
    return [own if name == own.name else Choice(name=name) for name in names]


def runner_choice(config: RunConfig) -> Choice:
    """The runner; one that has no workers to count computes as it does."""
    short = _short_options(config, "runner") if _counts_workers(config.runner.name) else {}
    return Choice(name=config.runner.name, **(short | config.runner.options))


def _counts_workers(runner: str | None) -> bool:
    """Whether there is something for the number of threads to say; where there is no such runner, that is said."""
    return runner is None or not RUNNERS.knows(runner) or "workers" in options_of(RUNNERS.load(runner))


def _short_options(config: RunConfig, part: str) -> dict[str, Any]:
    """The options of a part that its short forms set."""
    values = {option: getattr(config, key) for key, (of, option) in SHORT_FORMS.items() if of == part}
    return {
        option: value
        for option, value in values.items()
        if not isinstance(value, bool) and value not in ("free", "auto")
    }


def _contradiction(config: RunConfig) -> tuple[Key, str] | None:
    """What a short form and the section of its part say differently."""
    said, latent = config.model_fields_set, config.latent
    if latent and "noise" in said and (config.noise is not False) != (latent.name == NOISE):
        return ("noise",), _differing("noise", config.noise, f"latent: {latent.name}")
    for key, (part, option) in SHORT_FORMS.items():
        choice, value = getattr(config, part), getattr(config, key)
        if key not in said or choice is None or isinstance(value, bool) or value == AUTO:
            continue
        if choice.options.get(option, value) != value:
            return (key,), _differing(key, value, f"{part}.{option}: {_yaml(choice.options[option])}")
    return None


def _differing(key: str, value: object, other: str) -> str:
    return f"{key}: {_yaml(value)} and {other} contradict each other; give one of the two."


def in_short_forms(config: RunConfig) -> dict[str, Any] | None:
    """The latent structure by its short forms, if they can say it: two spellings of one thing are one."""
    choice = latent_choice(config)
    options = {name: value for name, value in choice.options.items() if value is not None}
    if choice.name == INDEPENDENT and options.keys() <= {"weights"}:
        return {"noise": False, "mixing_weights": options.get("weights", "free")}
    if choice.name == NOISE and options.keys() <= {"density"}:
        return {"noise": float(options["density"]) if options else True, "mixing_weights": "free"}
    return None


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)


def check_choices(config: RunConfig) -> tuple[Key, str] | None:
    """The key of the first part that is not there or has not such options, and what is wrong; None if nothing is."""
    if found := _contradiction(config):
        return found
    if config.latents and config.latent and config.latent.name not in config.latents:
        return ("latents",), f"latent: {config.latent.name} has options, and is not among latents."
    for key, registry in AXES.items():
        try:
            _check(config, key, registry)
        except UsageError as error:
            return key, str(error)
    return None


def _check(config: RunConfig, key: Key, registry: Registry[Any]) -> None:
    if registry is LATENTS:
        for name in config.latents or ():
            registry.load(name)
    start = config.search.start
    if registry is STARTS and not STARTS.knows(start.name):
        if start.options:
            many = "auto is several starts" if start.name == AUTO else "a file of parameters is no way to start"
            raise UsageError(f"{many}, without options; name one that has them, as em parts starts does.")
        return
    choice = {
        "latent": latent_choice(config),
        "algorithm": config.search.algorithm,
        "start": start,
        "runner": config.runner,
    }[key[-1]]
    part = registry.load(choice.name)
    if registry is RUNNERS and config.threads != AUTO and not _counts_workers(choice.name):
        raise UsageError(
            f"runner {choice.name!r} has no threads to count: leave out threads: {config.threads}, "
            "or take the runner threads."
        )
    if registry is LATENTS:
        for option in choice.options:
            if option in part.declines:
                raise UsageError(part.declines[option])
    check_options(f"{registry.kind} {choice.name!r}", part, choice.options)


def choose(present: object, name: object) -> Any:
    """What a section of a part becomes under a name, or options, given above it: its options stay if the part does."""
    if isinstance(name, Mapping) and "name" not in name and present is not None:
        return (dict(present) if isinstance(present, Mapping) else {"name": present}) | dict(name)
    if isinstance(present, dict) and isinstance(name, str) and present.get("name", name) == name:
        return present | {"name": name}
    return name


def displace(below: dict[str, object], above: Mapping[str, object], kept: Container[str] = ()) -> None:
    """Take from the keys below what those above say in the other spelling; some are kept, to be contradicted."""
    named, short = _named(above.get("latent")), above.get("noise")
    if named and named != (NOISE if below.get("noise", False) is not False else INDEPENDENT):
        _drop(below, {"noise", "mixing_weights"}, kept)
    if "noise" in above and (short is not False) != (_named(below.get("latent")) == NOISE):
        _drop(below, {"latent"}, kept)
    if not _counts_workers(_named(above.get("runner"))):
        _drop(below, {"threads"}, kept)
    if above.get("threads", AUTO) != AUTO and not _counts_workers(_named(below.get("runner"))):
        _drop(below, {"runner"}, kept)
    for key, (part, option) in SHORT_FORMS.items():
        upper, lower = above.get(part), below.get(part)
        if isinstance(upper, Mapping) and option in upper and key in below and key not in kept:
            if key == "noise" and below[key] is not False:
                below[key] = True
            else:
                below.pop(key)
        if key in above and isinstance(lower, dict) and not isinstance(above[key], bool) and part not in kept:
            below[part] = {name: value for name, value in lower.items() if name != option}


def _drop(below: dict[str, object], keys: set[str], kept: Container[str]) -> None:
    for key in keys:
        if key not in kept:
            below.pop(key, None)


def _named(value: object) -> str | None:
    name = value.get("name") if isinstance(value, Mapping) else value
    return name if isinstance(name, str) else None
