"""From the command line, the environment and a file to the configuration of a run."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from em_cli.errors import DataError, OutputError, UsageError
from em_cli.options import ConfigOptions, ReportOptions, layer
from em_cli.registry import did_you_mean
from em_cli.runs.stdio import closed_stdout

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig


CLIMBS_OF_NAMED = 24  # starts; a search would move components about that have labels or fixed means


def configuration(paths: list[str] | None, groups: Sequence[Any], config: ConfigOptions) -> RunConfig:
    """The run configuration that the command line, the environment and the YAML file make together."""
    from em_cli.config.resolve import resolve

    options = layer(*groups)
    if paths:
        options.setdefault("data", {})["path"] = paths
    resolved = resolve(config.config, config.overrides or [], options)
    if not resolved.data.path:
        raise UsageError("no data: name a CSV file, or '-' for standard input.")
    if resolved.data.weight_type == "sampling" and resolved.data.weights is None:
        raise UsageError("--weight-type sampling is about weights: name their column with --weights.")
    of_families = [resolved.family_options, *(group.model_extra or {} for group in resolved.groups)]
    named = resolved.data.labels is not None or any("means" in own for own in of_families)
    if named and resolved.search.restarts == "auto":
        search = resolved.search.model_copy(update={"restarts": CLIMBS_OF_NAMED})
        resolved = resolved.model_copy(update={"search": search})
    effort_of(resolved, options.get("search", {}).get("effort"))
    return resolved


def effort_of(config: RunConfig, asked: str | None = None) -> str | None:
    """The effort of the search; None where climbs from so many starts, or from a given one, are asked for instead.

    An effort `asked` for on the command line must be that of a search, even if it is the default.
    """
    search = config.search
    given = start_file(config)
    if search.restarts == "auto" and not given:
        return search.effort
    if asked or search.effort != type(search).model_fields["effort"].default:
        instead = f"--start {given}" if given else f"--restarts {search.restarts}"
        raise UsageError(
            f"{instead} asks for {'one climb' if given else 'so many climbs'} and no search: "
            f"--effort {search.effort} does not apply. Give one of the two."
        )
    return None


def start_file(config: RunConfig) -> str | None:
    """The file or run folder of parameters to start from, if that is what `start` names."""
    from em_cli.starts import STARTS

    start = config.search.start.name
    if start == "auto" or start in STARTS.names():
        return None
    if config.search.restarts not in ("auto", 1):
        raise UsageError("--start FILE gives the one start: --restarts does not apply.")
    if not os.path.lexists(start):
        raise UsageError(f"--start {start!r} is neither a way to start nor a file{did_you_mean(start, STARTS.names())}")
    return start


def start_digest(config: RunConfig) -> str | None:
    """SHA-256 of the parameters to start from."""
    given = start_file(config)
    if not given:
        return None
    file = Path(given) / "params.json" if Path(given).is_dir() else Path(given)
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{given} cannot be read: {error.strerror}.") from None


def fingerprint_of(config: RunConfig) -> str:
    """SHA-256 of what decides the results."""
    from em_cli.config.files import fingerprint

    return fingerprint(config, start_digest(config))


def one_k(config: RunConfig) -> int:
    """The number of components of a fit."""
    from em_cli.config.ranges import parse_k

    ks = parse_k(config.k)
    if not ks:
        raise UsageError("how many components? Give -k, as in -k 3, or let em select choose.")
    if len(ks) > 1:
        raise UsageError(f"k is {config.k}, a range; fit takes one number: give -k, or use em select.")
    return ks[0]


def many_k(config: RunConfig) -> tuple[int, ...]:
    """The numbers of components of a sweep."""
    from em_cli.config.ranges import parse_k

    return parse_k(config.k) or tuple(range(1, 10))


def criterion_of(config: RunConfig) -> str:
    from em_cli.criteria import CRITERIA

    CRITERIA.load(config.criterion)
    return config.criterion


def folder_for(config: RunConfig, report: ReportOptions) -> str | None:
    """Where to write the run folder; None if nothing asks for one."""
    if config.out:
        return config.out
    streamed = report.json or "-" in (report.params, report.responsibilities_to)
    if streamed or "-" in config.data.path:
        return None
    return f"{Path(config.data.path[0]).name.split('.')[0] or 'data'}.em"


def stdout_format(report: ReportOptions, allowed: tuple[str, ...], quiet: bool) -> str:
    """human, json, csv, or none if a result file takes stdout or nothing is wanted there."""
    places = {"--params": report.params, "--responsibilities": report.responsibilities_to}
    taken = [name for name, path in places.items() if path == "-"]
    if report.json and report.format not in (None, "json"):
        raise UsageError(f"--json and --format {report.format} contradict each other.")
    asked = "json" if report.json else report.format
    if len(taken) > 1 or (taken and asked):
        both = [*taken, "the result document"][:2]
        raise UsageError(f"{both[0]} and {both[1]} cannot both go to standard output.")
    if asked is not None and asked not in (*allowed, "none"):
        raise UsageError(f"--format {asked!r}: here it can be {', '.join(allowed)} or none.")
    if (asked or taken) and closed_stdout():
        raise OutputError("the result is to go to standard output, which is closed.")
    if asked:
        return asked
    if taken or quiet or closed_stdout():
        return "none"
    return "human" if sys.stdout.isatty() else "json"
