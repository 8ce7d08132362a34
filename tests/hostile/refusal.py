"""Running the program in this process, and what every refusal must be like."""

import shlex
from pathlib import Path

from program import Outcome, in_process

REFUSED = (2, 3, 4, 5)


def em_here(line: str, stdin: bytes = b"") -> Outcome:
    """Run `em` in this process and folder."""
    return in_process(shlex.split(line), stdin)


def refused(line: str, status: int, words: tuple[str, ...] = (), stdin: bytes = b"") -> str:
    """The message of a run that must end like this, and leave nothing behind."""
    before = everything()
    outcome = em_here(line, stdin)
    check_refusal(outcome, status, words)
    assert everything() == before, "something was left behind"
    return outcome.err


def check_refusal(outcome: Outcome, status: int, words: tuple[str, ...] = ()) -> None:
    """One paragraph that says what is wrong, and no more."""
    assert outcome.status == status, f"status {outcome.status}, not {status}: {outcome.err or outcome.out[:500]}"
    assert status in REFUSED
    assert outcome.out == ""
    first, *others = [line for line in outcome.err.split("\n")[:-1] if not is_progress(line)]
    assert first.startswith("em: error: "), outcome.err
    assert all(line.startswith("    ") for line in others), outcome.err
    assert len(outcome.err) < 2000, "at most a screen"
    assert "Traceback" not in outcome.err and "internal error" not in outcome.err
    assert all(line.isprintable() for line in outcome.err.split("\n")), repr(outcome.err)
    for word in words:
        assert word in outcome.err, f"{word!r} is not in: {outcome.err}"


def is_progress(line: str) -> bool:
    return line.startswith("em: ") and not line.startswith(("em: error:", "em: a fault"))


def everything() -> dict[str, bytes | None]:
    """What there is in the folder: the content of files, None for all else."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path().rglob("*")}
