"""What was asked and read, and how to come by the same again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from em_cli.documents.found import FoundFields
from em_cli.documents.manifest_json import Manifest, RowCounts
from em_cli.documents.params_json import Params
from em_cli.printable import safe
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.html import Child, Html, bullets, join, paragraph, table, tag
from em_cli.reports.style import short
from em_cli.sources.quoting import listed, plural

MOST_NAMES = 100


def asked(run: FinishedRun) -> Html:
    """Command, data, columns and rows that took part, and those that did not."""
    document, facts = run.document, run.manifest.get("data", {})
    lines: list[tuple[str, Child]] = [("command", tag("code", command(run)))]
    lines += [("data", _inputs(run)), ("columns", _columns(run))]
    aside = {
        "not fitted": listed(list(map(str, facts.get("columns_left_out") or ()))),
        "row names": facts.get("id"),
        "case weights": document.get("weight_column"),
        "labels": run.manifest.get("config", {}).get("data", {}).get("labels"),
    }
    lines += [(what, safe(str(name))) for what, name in aside.items() if name]
    lines += [("rows", _rows(document, facts.get("rows")))]
    missing = document.get("n_missing") or {}
    if missing:
        said = ", ".join(f"{short(name)} {n:,}" for name, n in missing.items())
        lines += [("missing cells", f"{sum(missing.values()):,} ({said})")]
    lines += [("model", _model(run))]
    return _definitions(lines)


def _definitions(lines: Sequence[tuple[str, Child]]) -> Html:
    return tag("dl", *(tag("div", tag("dt", what), tag("dd", said)) for what, said in lines))


def _inputs(run: FinishedRun) -> Html:
    files = run.manifest["inputs"]
    return Html("<br>".join(_input(file) for file in files))


def _input(file: Mapping[str, Any]) -> Html:
    name = "standard input" if file["name"] == "-" else Path(str(file["name"])).name
    return join([tag("code", name), f", {plural(int(file['size']), 'byte')}"])


def _columns(run: FinishedRun) -> str:
    """By how they are described; and why, where that was guessed."""
    why = {about["name"]: about.get("why") for about in run.manifest.get("data", {}).get("columns", ())}
    kinds: dict[str, list[str]] = {}
    for place, column in enumerate(run.schema.columns[:MOST_NAMES]):
        name = f"{short(column.name)} ({why[column.name]})" if why.get(column.name) else short(column.name)
        family = run.group_of(place).family.replace("_", " ") if place in run.described else "tells the mixing weights"
        kinds.setdefault(column.type if family == column.type else f"{column.type} ({family})", []).append(name)
    more = len(run.schema.columns) - MOST_NAMES
    said = "; ".join(f"{', '.join(names)}: {kind}" for kind, names in kinds.items())
    return f"{said}; … {more} more" if more > 0 else said


def _rows(document: Params, facts: RowCounts | None) -> str:
    read, used = int(document["n_rows_read"]), int(document["n_samples"])
    if read == used:
        return f"{read:,}, all of them fitted"
    scored = facts["scored_only"] if facts else 0
    parts = [f"{read:,} read, {used:,} fitted"]
    parts += [f"{scored:,} without weight or without any cell were given a component, no more"] if scored else []
    parts += [f"{read - used - scored:,} with missing cells left out"] if read - used - scored else []
    return "; ".join(parts)


def _model(run: FinishedRun) -> str:
    document = run.document
    ks, models = {row["k"] for row in run.selection}, {str(row["model"]) for row in run.selection}
    tried = f"k from {min(ks)} to {max(ks)}" if len(ks) > 1 else f"k = {run.k}"
    structures = listed(sorted(models)) if models else document.get("structure")
    parts = [tried, f"covariance structure {structures}" if document.get("structure") else ""]
    parts += [
        f"with a component of {' and '.join(run.extra)}" if run.extra else "",
        "a weak prior" if document.get("prior") == "weak" else "",
        "variational Bayes" if document.get("inference") == "variational" else "",
    ]
    effort = document["search"].get("effort")
    parts += [f"a search of {effort} effort" if effort else f"{document['search']['starts']} starts"]
    return ", ".join(filter(None, parts))


def command(run: FinishedRun) -> str:
    """As it was typed."""
    return shlex.join(["em", *map(str, run.manifest.get("arguments", ()))])


def reproduce(run: FinishedRun) -> Html:
    """Command, versions and hashes."""
    document, manifest, blas = run.document, run.manifest, run.manifest.get("blas", {})
    libraries = ", ".join(f"{name} {version}" for name, version in manifest.get("libraries", {}).items())
    seconds = ", ".join(f"{phase} {value:.1f} s" for phase, value in manifest.get("seconds", {}).items())
    lines: list[tuple[str, Child]] = [
        ("seed", str(document["random_state"])),
        ("em", str(manifest.get("em_version", ""))),
        ("Python", f"{manifest.get('python', '')} on {manifest.get('platform', '')}"),
        ("libraries", libraries),
        ("linear algebra", " ".join(str(blas.get(part) or "") for part in ("name", "version"))),
        ("finished", str(manifest.get("finished", ""))),
        ("took", seconds),
    ]
    return join(
        [
            again(run.name, manifest),
            _definitions(lines),
            hashes(document, manifest),
            bullets(
                [
                    join([tag("code", "params.json"), ": the model, for em predict, em score and em sample"]),
                    *_of_rows(manifest.get("config", {})),
                    join(
                        [tag("code", "restarts.csv"), " and ", tag("code", "trace.csv"), ": every start of the search"]
                    ),
                ]
            ),
        ]
    )


def _of_rows(config: Mapping[str, object]) -> list[Html]:
    """The file of responsibilities, if it was written."""
    if not config.get("responsibilities", True):
        return []
    name = f"responsibilities.{config.get('responsibilities_format', 'csv')}"
    return [join([tag("code", name), ": the component of every row, with probabilities"])]


def again(name: str, manifest: Mapping[str, object]) -> Html:
    """The command that makes the run again."""
    verb = str(manifest.get("command", "fit"))
    return join(
        [
            paragraph(
                "The run folder holds its whole configuration. The same version of em makes the same bytes of it, "
                "on any number of threads:"
            ),
            tag("pre", tag("code", f"em {verb} -c {shlex.quote(f'{name}/run.yaml')} --out again.em")),
        ]
    )


def hashes(document: FoundFields, manifest: Manifest) -> Html:
    """Of the files and the configuration."""
    rows: list[list[Child]] = [
        [Path(str(file["name"])).name, tag("code", str(file["sha256"]))] for file in manifest["inputs"]
    ]
    rows += [["configuration", tag("code", str(document["config_sha256"]))]]
    return table("Digests", ["of", "SHA-256"], rows)
