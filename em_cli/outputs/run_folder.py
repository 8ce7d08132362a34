"""A run folder: written aside, and then there as a whole; one run at a time."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from em_cli.errors import NoFit, OutputError
from em_cli.outputs.checkpoint_file import STATE
from em_cli.outputs.folder import Content, Written, explained, umask, write_flushed
from em_cli.outputs.manifest import MANIFEST, to_json

CHECKPOINT = "checkpoint"
ROWS = "responsibilities.csv"
PARTS = "responsibilities"  # which the workers of a cluster have written
FOLDERS = frozenset({CHECKPOINT, PARTS, "plots"})  # of a run
FILES = frozenset(
    {
        *(
            "params.json",
            ROWS,
            "responsibilities.feather",
            "responsibilities.parquet",
            "transitions.csv",
            "coefficients.csv",
            "topics.csv",
            "documents.csv",
            "haplotypes.csv",
            "pairs.csv",
            "selection.csv",
            "trace.csv",
            "restarts.csv",
        ),
        *(
            "run.yaml",
            "report.html",
            "intervals.csv",
            "relate.csv",
            "relate.json",
            "bootstrap.csv",
            "bootstrap.json",
            "tests.csv",
            "tests.json",
            "matched.csv",
            MANIFEST,
        ),
    }
)
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
AT_CWD, EXCHANGE = -100, 2  # of renameat2(2)


@dataclass(slots=True)
class RunFolder:
    """Where a run writes: a hidden folder beside the one that is wanted, locked for as long as the run lasts."""

    path: str
    aside: Path
    force: bool = False
    resume: bool = False
    held: ExitStack = field(default_factory=ExitStack)  # the locks of the run

    @property
    def checkpoint(self) -> Path:
        return self.aside / CHECKPOINT

    def deliver(
        self, files: Mapping[str, Content | Written], manifest: Mapping[str, object], finished: bool = True
    ) -> list[str]:
        """Write the files, but for those that are there aside, and what they are into the manifest, and give them
        their place; names, of folders once.

        A run that is not finished keeps its checkpoint.
        """
        outputs = {}
        target = Path(os.path.realpath(self.path))
        with explained(self.path):
            for name, content in files.items():
                (self.aside / name).parent.mkdir(exist_ok=True)
                there = content if isinstance(content, Written) else write_flushed(self.aside / name, content)
                outputs[name] = {"size": there.size, "sha256": there.sha256}
            write_flushed(self.aside / MANIFEST, [to_json({**manifest, "outputs": outputs})])
            self.aside.chmod(0o777 & ~umask())
            _flush(self.aside)
            if os.path.lexists(self.path):
                if not (self.force or self.resume):
                    raise OutputError(f"{self.path} exists by now. Use --force to replace it.")
                with ExitStack() as stack:
                    _locked(target, stack)  # it is about to bear the name that others would take
                    _exchange(self.aside, target)
                    shutil.rmtree(self.aside, ignore_errors=True)
            else:
                self.aside.rename(target)
            _flush(self.aside.parent)
            if finished:  # not before, lest it be lost with a run that is killed now
                shutil.rmtree(target / CHECKPOINT, ignore_errors=True)
        self.resume = True  # what is delivered may be delivered again
        parts = (name.partition("/") for name in [*files, MANIFEST])
        return list(dict.fromkeys(f"{first}/" if inside else first for first, inside, _ in parts))

    def take_again(self) -> None:
        """Make room aside, once more, for what is to take the place of what was delivered."""
        if not self.aside.exists():
            self.held.close()
            with explained(self.path):
                _take(self.aside, self.path, self.held)


def check_folder(path: str, force: bool, resume: bool = False) -> None:
    """Refuse, before any work is done, a folder that could not be written at the end."""
    folder = Path(path)
    if os.path.lexists(folder):
        if not (force or resume):
            raise OutputError(f"{path} exists. Use --force to replace it, --resume to continue it, or --out.")
        if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "params.json").exists()):
            raise OutputError(f"{path} is not a run folder: it will not be replaced. Use --out to write elsewhere.")
        if strange := _strange(folder):
            raise OutputError(
                f"{path} holds {strange!r}, which no run has written: it will not be replaced. "
                "Move that away, or use --out to write elsewhere."
            )
    parent = folder.absolute().parent
    nearest = next(p for p in (parent, *parent.parents) if p.exists())
    if not nearest.is_dir():
        raise OutputError(f"{path} cannot be written: {nearest} is a file, and no folder. Use --out.")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: there is no permission to write in {nearest}. Use --out.")


@contextmanager
def reserved(path: str, force: bool, resume: bool) -> Iterator[RunFolder]:
    """A run folder to be, which no other run can take meanwhile; nothing is left of it where the run fails.

    What is left is the checkpoint of a run that can be continued.
    """
    check_folder(path, force, resume)
    target = Path(os.path.realpath(path))  # a link is written through
    aside = target.parent / f".{target.name}.partial"
    made = [parent for parent in target.parents if not parent.exists()]
    with ExitStack() as stack:
        with explained(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            _take(aside, path, stack)
        folder = RunFolder(path, aside, force, resume, stack)
        try:
            check_folder(path, force, resume)  # another run may have ended meanwhile
            _make_ready(folder)
            yield folder
        except BaseException as error:
            if not (folder.checkpoint / STATE).exists() or isinstance(error, NoFit):
                shutil.rmtree(aside, ignore_errors=True)
                for parent in made:
                    with suppress(OSError):
                        parent.rmdir()
            raise
        if aside.exists() and not (folder.checkpoint / STATE).exists():  # nothing was delivered
            shutil.rmtree(aside, ignore_errors=True)


def _take(aside: Path, path: str, stack: ExitStack) -> None:
    """Make and lock the folder; one that a killed run has left is taken over."""
    while True:
        with suppress(FileExistsError):
            aside.mkdir(mode=0o700)
        _check_own(aside, path)
        with ExitStack() as held, suppress(FileNotFoundError):  # where another run has just given it its place
            if not _locked(aside, held):
                raise OutputError(f"another run is writing to {path}. Wait for it, or use --out to write elsewhere.")
            if aside.exists():
                stack.push(held.pop_all())
                return


def _check_own(aside: Path, path: str) -> None:
    """Refuse what stands at the name of the hidden folder, unless a run of this user's has left it."""
    try:
        about = aside.lstat()
    except FileNotFoundError:  # another run has just given it its place
        return
    wrong = ""
    if not stat.S_ISDIR(about.st_mode):
        wrong = "is no folder"
    elif hasattr(os, "geteuid") and about.st_uid != os.geteuid():
        wrong = "belongs to another user"
    elif about.st_mode & OTHERS_WRITE:
        wrong = "can be written by others"
    elif strange := _strange(aside):
        wrong = f"holds {strange!r}, which no run has left there"
    if wrong:
        raise OutputError(
            f"{path} cannot be written: {aside.name} beside it, where a run is written before it takes its place, "
            f"{wrong}. Nothing was touched. Move it away, or use --out to write elsewhere."
        )


def _strange(folder: Path) -> str:
    """The first thing in a folder that no run has written there; '' if there is none."""

    def own(entry: os.DirEntry[str]) -> bool:
        if entry.is_dir(follow_symlinks=False):
            return entry.name in FOLDERS
        return entry.name in FILES and not entry.is_symlink()

    with os.scandir(folder) as entries:
        return min((entry.name for entry in entries if not own(entry)), default="")


def _locked(folder: Path, stack: ExitStack) -> bool:
    """Whether nobody else holds the folder; it is held until the stack unwinds."""
    try:
        import fcntl
    except ImportError:  # where there are no such locks
        return True
    held = os.open(folder, os.O_RDONLY)
    stack.callback(os.close, held)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # others: a file system without locks
    if not os.path.samestat(os.fstat(held), folder.stat()):
        raise FileNotFoundError
    return True


def _make_ready(folder: RunFolder) -> None:
    """Empty but for a checkpoint to go on from."""
    left = (folder.checkpoint / STATE).exists()
    if left and not (folder.resume or folder.force):
        raise OutputError(
            f"an unfinished run of {folder.path} was left in {folder.aside.name}: "
            "use --resume to continue it, or --force to start anew."
        )
    with explained(folder.path):
        for entry in folder.aside.iterdir():
            if entry == folder.checkpoint and folder.resume and left:
                continue
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
        kept = Path(folder.path) / CHECKPOINT
        if folder.resume and not left and kept.is_dir():
            shutil.copytree(kept, folder.checkpoint)


def _exchange(aside: Path, target: Path) -> None:
    """Swap two folders: at once where the system can, else by two renames."""
    if sys.platform == "linux":
        with suppress(AttributeError):
            swap = ctypes.CDLL(None, use_errno=True).renameat2
            if swap(AT_CWD, os.fsencode(aside), AT_CWD, os.fsencode(target.absolute()), EXCHANGE) == 0:
                return
    old = Path(tempfile.mkdtemp(prefix=f"{aside.name}.", dir=aside.parent))  # an empty folder can be renamed to
    target.rename(old)
    aside.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _flush(folder: Path) -> None:
    """The entries of a folder, on disk."""
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    except OSError:  # some file systems cannot
        pass
    finally:
        os.close(held)
