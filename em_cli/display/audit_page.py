"""What a manifest says, on a page: for those who check a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.display.text import counted, nats
from em_cli.display.text_page import Page
from em_cli.documents.manifest_json import Manifest

INDENT = 18


def audit_page(
    run: str,
    manifest: Manifest,
    outputs: Mapping[str, str],
    inputs: Mapping[str, str],
    width: int,
    color: bool,
) -> str:
    """The manifest of a run, and in which state its result files and its inputs are now."""
    page = Page(width, color)
    page.line((f"{run}: em {manifest['command']}, em-cli {manifest['em_version']}", "bold"))
    page.blank()
    _made(page, manifest)
    _asked(page, manifest)
    _read(page, manifest, inputs)
    _searched(page, manifest)
    _told(page, "warnings", [f"{one['code']}: {one['message']}" for one in manifest.get("warnings", ())] or ["none"])
    width = max(map(len, outputs), default=0)
    _told(page, "files", [f"{name:<{width}}  {state}" for name, state in outputs.items()])
    return page.text()


def _made(page: Page, manifest: Manifest) -> None:
    seconds = manifest["seconds"]
    took = ", ".join(f"{phase} {value:.2f} s" for phase, value in seconds.items())
    _told(page, "finished", [f"{manifest['finished']} on {manifest['host']}; {took}"])
    if manifest.get("resumed_after") is not None:
        _told(page, "resumed", [f"after {manifest['resumed_after']:.1f} s of an earlier run"])
    libraries = ", ".join(f"{name} {version}" for name, version in manifest["libraries"].items())
    blas = manifest["blas"]
    _told(page, "made with", [f"Python {manifest['python']}, {libraries}; {blas['name']} {blas['version']}"])
    _told(page, "platform", [f"{manifest['platform']} ({', '.join(blas['simd'])})"])


def _asked(page: Page, manifest: Manifest) -> None:
    _told(page, "asked", [" ".join(["em", *manifest["arguments"]])])
    if manifest.get("environment"):
        _told(page, "environment", [f"{name}={value}" for name, value in manifest["environment"].items()])
    _told(page, "configuration", [f"SHA-256 {manifest['config_sha256']}, whole in run.yaml"])


def _read(page: Page, manifest: Manifest, states: Mapping[str, str]) -> None:
    data = manifest["data"]
    rows = data["rows"]
    for one in manifest["inputs"]:
        state = f" ({states[one['name']]})" if one["name"] in states else ""
        _told(page, "input", [f"{one['name']}{state}, {one['size']:,} bytes, SHA-256 {one['sha256']}"])
    if start := manifest.get("start_file"):
        _told(page, "started from", [f"{start['name']}, SHA-256 {start['sha256']}"])
    parts = [f"{rows['read']:,} read", f"{rows['fitted']:,} fitted"]
    parts += [f"{rows['scored_only']:,} scored only"] if rows["scored_only"] else []
    parts += [f"{rows['left_out']:,} left out"] if rows["left_out"] else []
    missing = sum(data["n_missing"].values())
    parts += [f"{missing:,} missing cells ({data['missing_policy']})"] if missing else []
    _told(page, "rows", [", ".join(parts)])
    columns = [_column(c) for c in data["columns"]]
    _told(page, "columns", ["; ".join(columns)])
    for role, name in (("weights", data["weights"]), ("id", data["id"])):
        if name:
            _told(page, role, [name])
    if data["columns_left_out"]:
        _told(page, "left out", [", ".join(data["columns_left_out"])])


def _column(one: Mapping[str, Any]) -> str:
    said = filter(None, [one["why"], f"its {one['transform']}" if one.get("transform") else ""])
    about = ", ".join(said)
    return f"{one['name']} {one['type']}" + (f" ({about})" if about else "")


def _searched(page: Page, manifest: Manifest) -> None:
    search, stopping, floor = manifest["search"], manifest["stopping"], manifest["regularisation"]
    starts = ", ".join(f"{n} {name}" for name, n in search["starts"].items())
    verdicts = ", ".join(f"{n} {verdict}" for verdict, n in search["verdicts"].items())
    size = f"{counted(search['models'], 'model')}, {counted(search['iterations'], 'iteration')}"
    _told(page, "search", [f"seed {search['seed']}; {size}; starts: {starts}; they ended as {verdicts}"])
    gains = ", ".join(f"{gain:.1e}" for gain in stopping["last_gains"]) or "none"
    left = stopping["remaining_estimate"]
    _told(
        page,
        "stopping",
        [
            f"{stopping['rule']}, or after {stopping['max_iter']:,}. This one: {stopping['stop_reason']} after "
            f"{counted(stopping['iterations'], 'iteration')}; last gains {gains}; "
            f"{'an unknown number of' if left is None else format(left, '.2g')} log-likelihood units remain"
        ],
    )
    log_prior = "" if floor["log_prior"] is None else f", log-prior {nats(floor['log_prior'])}"
    prior = "no prior" if floor["prior"] == "none" else f"{floor['prior']} prior{log_prior}"
    active = [f"component {one['component']}: {one['reason']}" for one in floor["active"]]
    _told(page, "regularisation", [f"{prior}; floor: {floor['floor'] or 'none'}", *active])


def _told(page: Page, heading: str, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines):
        begin = f" {heading if number == 0 else '':<{INDENT - 2}} "
        page.hanging(line, begin)
