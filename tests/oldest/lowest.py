"""The lowest versions that pyproject.toml allows, as pip wants them: a line each."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXTRAS = ("excel", "onnx", "parquet", "plots", "remote", "zst")  # of the program; its developers' tools are theirs


def lowest() -> dict[str, str]:
    """The version of each library."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in EXTRAS for one in project["optional-dependencies"][extra])]
    return dict(requirement.split(">=") for requirement in wanted)


if __name__ == "__main__":
    sys.stdout.writelines(f"{name}=={version}\n" for name, version in lowest().items())
