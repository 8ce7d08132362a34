"""Every test computes as the program does: one BLAS thread per worker, pandas without Arrow."""

import gc
import os

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before NumPy is imported

from em_cli.memory import leave_out_arrow  # noqa: E402

leave_out_arrow()  # before pandas is imported

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

pytest.register_assert_rewrite("em_cli.testing")

settings.register_profile("em", deadline=None, max_examples=5, derandomize=True, database=None)
settings.register_profile("thorough", settings.get_profile("em"), max_examples=100)
settings.load_profile("em")


def pytest_sessionstart() -> None:
    gc.disable()  # what is collected stays: to look for garbage in it is a quarter of the collection


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()
