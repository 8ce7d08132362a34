"""`em guide`: the pages of the guide."""

from __future__ import annotations

from typing import Annotated

from typer import Argument

from em_cli.options import grouped

RENAMED = {"runs": "folders"}  # which is a command now


def topics(incomplete: str) -> list[str]:
    """Those that a shell offers."""
    from em_cli.runs.guide_pages import TOPICS

    return [topic for topic in TOPICS if topic.startswith(incomplete)]


@grouped
def guide(
    topic: Annotated[str | None, Argument(metavar="TOPIC", help="One page.", autocompletion=topics)] = None,
) -> None:
    """Explain columns, files, searches, warnings and more, by topic.

    Example: em guide search
    """
    from em_cli.errors import UsageError
    from em_cli.outputs.folder import write_file
    from em_cli.registry import did_you_mean
    from em_cli.runs.guide_pages import TOPICS, contents, show_page

    if topic is None:
        write_file("-", [contents()])
    elif (topic := RENAMED.get(topic, topic)) in TOPICS:
        show_page(topic)
    else:
        raise UsageError(f"the guide has no topic {topic!r}{did_you_mean(topic, TOPICS)}")
