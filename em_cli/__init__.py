"""`em`: mixture models for CSV files, fitted by expectation-maximisation."""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"
LIBRARY = ("FittedModel", "Mixture", "load")
__all__ = ["__version__", *LIBRARY]


def __getattr__(name: str) -> Any:
    """The library, imported when it is asked for."""
    if name in LIBRARY:
        return getattr(import_module("em_cli.library"), name)
    raise AttributeError(f"module 'em_cli' has no attribute {name!r}")
