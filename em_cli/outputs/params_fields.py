"""What `params.json` must hold."""

from __future__ import annotations

from em_cli.documents import params_json as params
from em_cli.models.groups import MIXED
from em_cli.outputs.described import Rules, checked
from em_cli.sources.schema import LEVELLED


def _levels(column: params.ColumnFields) -> str:
    levels, kind = column["levels"] or [], column["type"]
    if column["transform"] is not None and kind != "numeric":
        return f"a transform is for numeric columns, not for {kind} ones"
    if len(set(levels)) < len(levels):
        return "a level stands there twice"
    if (len(levels) > 0) != (kind in LEVELLED) or (kind == "binary" and len(levels) != 2):
        return f"{len(levels)} levels are too few or too many for type {kind}"
    return ""


def _of_itself(family: str) -> str:
    return "a family that is no mixture of families is wanted" if family == MIXED else ""


RULES: Rules = {(params.ColumnFields, ""): _levels, (params.GroupFields, "family"): _of_itself}
Params, ModelFields = checked(params.Params, RULES), checked(params.ModelFields, RULES)
