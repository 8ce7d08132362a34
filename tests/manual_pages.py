"""Manual pages for the wheel, from the help of the commands: they are installed where `man` looks for them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManualPages(BuildHookInterface):  # type: ignore[type-arg, unused-ignore]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages, and have them installed: not with an editable one, whose help may change at any time."""
        if version != "standard":
            return
        folder = Path(self.root) / "build" / "man"
        here = os.environ | {
            "PYTHONPATH": os.pathsep.join([self.root, *filter(None, sys.path)])
        }  # and what is built with
        subprocess.run([sys.executable, "-m", "em_cli", "help", "--man", "--out", str(folder)], env=here, check=True)
        build_data["shared_data"] = {str(page): f"share/man/man1/{page.name}" for page in sorted(folder.glob("*.1"))}
