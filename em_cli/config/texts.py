"""A run configuration as files: a template to fill in, a schema for editors, the record of a run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from em_cli.config.choice import Choice
from em_cli.config.choices import AXES, in_short_forms
from em_cli.config.prior_config import PriorConfig
from em_cli.config.run_config import RunConfig
from em_cli.config.yaml_text import dump
from em_cli.engine.stopping import NATS
from em_cli.parts import Setting, settings_of
from em_cli.registry import Registry

LATER = {
    "latents": None,
    "regression": None,
    "concomitant": None,
    "inference": "ml",
    "standard_errors": "auto",
    "folds": 10,
    "test": False,
    "replicates": 99,
    "match": None,
    "names": None,
    "responsibilities_format": "csv",
}
PLACE_KEYS = (
    "out",
    "threads",
    "runner",
    "memory",
    "cache",
)  # they say where to compute and write, and change no result


def schema() -> str:
    """JSON Schema of a run configuration."""
    document = RunConfig.model_json_schema()
    document |= {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "em run configuration"}
    data = document["properties"]["data"]
    document["properties"]["data"] = {
        "description": data.get("description", ""),
        "anyOf": [{"$ref": "#/$defs/DataConfig"}, {"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    prior = document["properties"]["prior"]
    named = {"enum": document["$defs"]["PriorConfig"]["properties"]["name"]["enum"]}
    document["properties"]["prior"] = {
        "description": prior.get("description", ""),
        "anyOf": [{"$ref": "#/$defs/PriorConfig"}, named],
    }
    _accept_one(document)
    for (*section, key), registry in AXES.items():
        properties = document["$defs"]["SearchConfig"]["properties"] if section else document["properties"]
        properties[key] = {"description": properties[key]["description"], "anyOf": _choices(registry, key == "start")}
    document["$defs"].pop("Choice")
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _choices(registry: Registry[Any], other: bool) -> list[dict[str, Any]]:
    """The parts of an axis, by their bare names or with options; other names too, where these may be files."""
    bare = {"type": "string"} if other else {"enum": registry.names()}
    return [bare, *(_section_of(name, settings_of(registry, name)) for name in registry.names())]


def _section_of(name: str, settings: Mapping[str, Setting]) -> dict[str, object]:
    options = {
        own.name: {"description": own.option.says, "default": own.default} | own.schema for own in settings.values()
    }
    return {
        "type": "object",
        "properties": {"name": {"const": name}} | options,
        "required": ["name"],
        "additionalProperties": False,
    }


def _accept_one(node: object) -> None:
    """Where a list of names is wanted, one name will do."""
    if isinstance(node, dict):
        if node.get("type") == "array" and node.get("items") == {"type": "string"}:
            kept = {key: node.pop(key) for key in list(node) if key not in ("description", "default", "title")}
            node["anyOf"] = [kept, {"type": "string"}]
            return
        for value in node.values():
            _accept_one(value)
    elif isinstance(node, list):
        for value in node:
            _accept_one(value)


def template(data: str) -> str:
    """A commented run configuration; every key with its default, the optional ones commented out."""
    lines = [
        "# A run of em: `em fit -c run.yaml`, or `em select -c run.yaml`.",
        "data:",
        *_keys(RunConfig, "data", data),
    ]
    lines += ["k: 2  # number of components; for select 1-10, 1-10:3 or [1, 2, 4]"]
    for name in (
        "family",
        "covariance",
        "groups",
        "inference",
        "prior",
        "noise",
        "mixing_weights",
        "latent",
        "latents",
        "regression",
        "concomitant",
        "criterion",
        "folds",
        "test",
        "replicates",
        "match",
        "names",
        "standard_errors",
        "seed",
        "threads",
        "runner",
        "out",
        "responsibilities",
        "responsibilities_format",
    ):
        lines.append(_commented(RunConfig, name, ""))
    lines += ["search:", *_keys(RunConfig, "search", data)]
    return "\n".join(lines) + "\n"


def _keys(model: type[BaseModel], section: str, data: str) -> list[str]:
    inner = model.model_fields[section].annotation
    assert isinstance(inner, type) and issubclass(inner, BaseModel), "a section is a model"
    lines = []
    for name, field in inner.model_fields.items():
        if name == "path":
            lines.append(f"  path: {dump(data).splitlines()[0]}  # {field.description}")
        elif section == "search":
            lines.append(f"  {name}: {_default(field)}  # {field.description}")
        else:
            lines.append(_commented(inner, name, "  "))
    return lines


def _commented(model: type[BaseModel], name: str, indent: str) -> str:
    field = model.model_fields[name]
    default = "" if field.default is None else f" {_default(field)}"
    return f"{indent}# {name}:{default}  # {field.description}"


def _default(field: FieldInfo) -> str:
    default = field.default.name if isinstance(field.default, Choice | PriorConfig) else field.default
    return dump(default).splitlines()[0].removesuffix("...").strip()


def record(config: RunConfig, without: tuple[str, ...] = ("out",)) -> str:
    """The resolved configuration; without PLACE_KEYS, as `run.yaml` keeps it, all that decides the results."""
    return dump(resolved(config, without, exclude_none=True))


def resolved(config: RunConfig, without: tuple[str, ...] = (), exclude_none: bool = False) -> dict[str, object]:
    """The same as a mapping, which can be resolved again: what is said in two spellings stands in one of them."""
    other = {"noise", "mixing_weights"} if config.latent else set()  # the latent says it all
    return config.model_dump(mode="json", exclude={*without, *other}, exclude_none=exclude_none)


def fingerprint(config: RunConfig, start_sha256: str | None = None, match_sha256: str | None = None) -> str:
    """SHA-256 of what decides the results: of the input files what they hold, not their names."""
    decisive = config.model_dump(mode="json", exclude={*PLACE_KEYS})
    decisive["data"].pop("path")
    for later in (
        "skip",
        "sequence",
        "order",
        "step",
        "group",
        "document",
        "term",
        "count",
        "text",
        "stop_words",
        "transforms",
        "units",
        "na_level",
        "files",
    ):  # runs of a time without these keys can still be resumed
        if decisive["data"][later] in (None, {}, []):
            decisive["data"].pop(later)
    if decisive["search"]["other_families"] is None:
        decisive["search"].pop("other_families")
    if config.search.stop == NATS:
        decisive["search"].pop("stop")
    decisive["match"] = match_sha256
    for later, default in LATER.items():
        if decisive[later] in (None, [], default):
            decisive.pop(later)
    decisive["k"] = decisive["k"] or 0
    if (short := in_short_forms(config)) is None:
        decisive = {key: value for key, value in decisive.items() if key not in ("noise", "mixing_weights")}
    else:
        decisive.pop("latent")
        decisive |= short
    if start_sha256:
        decisive["search"]["start"] = start_sha256
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()
