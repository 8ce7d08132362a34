"""What is kept of a run that takes rows as they come, so that it can go on where it wrote its model last."""

from __future__ import annotations

from em_cli import __version__
from em_cli.algorithms.online import Online
from em_cli.engine.checkpoint import Packed
from em_cli.errors import OutputError, UsageError
from em_cli.outputs.checkpoint_file import STATE
from em_cli.outputs.folder import explained, write_flushed
from em_cli.outputs.framing import from_bytes, to_bytes
from em_cli.outputs.run_folder import RunFolder
from em_cli.runs.climbing import algorithm_of
from em_cli.runs.configure import Settings
from em_cli.sources.awaited import Awaited

FIRST = "first"  # of the checkpoint: the text of the first rows


def online_of(settings: Settings) -> Online:
    """The algorithm of such a run."""
    algorithm = algorithm_of(settings.config)
    assert isinstance(algorithm, Online), "it is the one of rows without an end"
    return algorithm


def awaited_of(settings: Settings, folder: RunFolder | None) -> Awaited | None:
    """What hands the rows out, where they are taken as they come."""
    if not settings.endless:
        return None
    kept = None if folder is None else folder.checkpoint / FIRST
    goes_on = kept is not None and settings.request.report.resume and kept.exists()
    return Awaited(online_of(settings).first, kept if goes_on else None)


def keep_state(folder: RunFolder, settings: Settings, first: bytes, state: Packed) -> None:
    """In the checkpoint of a run folder, before that is delivered; with the text of the first rows."""
    state.facts["run"] = _identity(settings)
    with explained(str(folder.checkpoint)):
        folder.checkpoint.mkdir(exist_ok=True)
        write_flushed(folder.checkpoint / FIRST, [first])
        write_flushed(folder.checkpoint / STATE, [to_bytes(state)])


def state_of(folder: RunFolder | None, settings: Settings) -> Packed | None:
    """Where an earlier run has come to; None where this one begins."""
    if folder is None or not settings.request.report.resume or not (folder.checkpoint / STATE).exists():
        return None
    try:
        ((packed, _),) = from_bytes((folder.checkpoint / STATE).read_bytes())
        known = packed.facts["run"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError(f"the checkpoint of {folder.path} is damaged: use --force to start anew.") from None
    now = _identity(settings)
    if other := [name for name, value in now.items() if known.get(name) != value]:
        raise UsageError(
            f"the run in {folder.path} had another {' and another '.join(other)}: --resume cannot continue it. "
            "Ask for the same again, or use --force to start anew."
        )
    return packed


def _identity(settings: Settings) -> dict[str, str]:
    """What must be the same for a run to go on."""
    return {"configuration": settings.fingerprint_without_limit(), "version of em": __version__}
