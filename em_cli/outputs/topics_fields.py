"""What the `params.json` of topics must hold."""

from __future__ import annotations

from em_cli.documents import topics_json as topics
from em_cli.outputs.described import checked


def _shapes(found: topics.TopicFields) -> str:
    k, v = found["n_components"], len(found["terms"])
    if len(set(found["terms"])) < v:
        return "a term stands there twice"
    if len(found["alpha"]) != k or min(found["alpha"]) <= 0:
        return f"alpha must be {k} numbers above 0"
    rows = found["lambda"]
    if len(rows) != k or any(len(row) != v or min(row) <= 0 for row in rows):
        return f"lambda must be {k} lists of {v} numbers above 0"
    return ""


TopicFields = checked(topics.TopicFields, {(topics.TopicFields, ""): _shapes})
TopicParams = checked(topics.TopicParams)
