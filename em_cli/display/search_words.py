"""In words: how a climb ended, and how far the search is to be trusted."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.text import counted

NEGLIGIBLE = 0.0001  # nats


def ending(document: Mapping[str, object]) -> tuple[str, str]:
    """How the climb ended, and a style for it."""
    n = number(document.get("n_iter")) if not _stream(document) else None
    iterations = counted(int(n), "iteration") if n is not None else ""
    if document.get("converged") is True:
        return (f"converged in {iterations}" if iterations else "converged"), "green"
    reason = document.get("stop_reason")
    if reason == "interrupted":
        return f"interrupted after {iterations or 'a while'}", "yellow"
    if reason == "time_limit":
        return f"out of time after {iterations or 'a while'}", "yellow"
    if reason == "completed":
        return f"done after {iterations or 'its steps'}, at no maximum", ""
    if reason == "max_iterations":
        return f"stopped at {iterations or 'the limit'}, not converged", "yellow"
    return ("not converged", "yellow") if "converged" in document else ("", "")


def trust(document: Mapping[str, object]) -> str:
    """The sentence about the search: how often it came to the same end, and what remains."""
    search = document.get("search")
    search = search if isinstance(search, Mapping) else {}
    if stream := _stream(document):
        begun, n = number(stream.get("first_rows")), number(document.get("n_samples"))
        return f"begun on {begun:,.0f} rows, {n:,.0f} seen as they came" if begun and n else "seen as they came"
    found = document.get("certificate") or _reached(search, document)
    parts = [_sampled(search, document), str(found), _collapsed(search), _remaining(document)]
    return "; ".join(part for part in parts if part)


def _stream(document: Mapping[str, object]) -> Mapping[str, object]:
    """What is said of rows that were taken as they came, if they were."""
    stream = document.get("stream")
    return stream if isinstance(stream, Mapping) else {}


def longer(effort: str | None, starts: int) -> str:
    """What asks for a longer search than one of this effort, or than climbs from so many starts."""
    if effort is None:
        return f"--restarts {4 * starts}"
    return {"low": "--effort normal", "normal": "--effort high"}.get(effort, "another --seed")


def _sampled(search: Mapping[str, object], document: Mapping[str, object]) -> str:
    seen, n = number(search.get("sample_rows")), number(document.get("n_samples"))
    return f"searched on {seen:,.0f} rows, finished on {n:,.0f}" if seen and n else ""


def _reached(search: Mapping[str, object], document: Mapping[str, object]) -> str:
    if document.get("start") == "given":
        return "run from the start that was given"
    if document.get("n_components") == 1:
        return "one component: every start leads here"
    effort = search.get("effort")
    keys = ("searches", "reached") if effort else ("starts", "at_best")
    made, reached = (int(number(search.get(key)) or 0) for key in keys)
    if not made:
        return ""
    if made == 1 and effort:
        alone = ", the other starts having collapsed" if number(search.get("degenerate")) else ""
        return f"one search only{alone}: another may lead higher ({longer(str(effort), made)})"
    if made == 1:
        return "from one start only: another may lead higher"
    plural = "searches" if effort else "starts"
    if reached == made:
        return f"{'both' if made == 2 else f'all {made}'} {plural} reached this value"
    times = "once" if reached == 1 else "twice" if reached == 2 else f"{reached} times"
    return f"best of {made} {plural}, reached {times}"


def _collapsed(search: Mapping[str, object]) -> str:
    n = int(number(search.get("degenerate")) or 0)
    return f"{n} collapsed and set aside" if n else ""


def _remaining(document: Mapping[str, object]) -> str:
    nats = number(document.get("remaining_estimate"))
    if nats is None:
        known = document.get("converged", True) is True or document.get("stop_reason") == "completed"
        return "" if known else "how much remains to gain is unknown"
    unit = "log-likelihood units"
    if nats < NEGLIGIBLE:
        return (
            "no row would move"
            if document.get("objective") == "classification"
            else f"less than {NEGLIGIBLE} {unit} remain"
        )
    return f"about {nats:.1g} {unit} remain" if nats < 1 else f"about {nats:,.0f} {unit} remain"


def number(value: object) -> float | None:
    """A number in a document that anyone may have edited."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
