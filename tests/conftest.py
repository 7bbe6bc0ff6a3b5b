"""Hypothesis draws the same examples on every run; what was skipped for want of PyTorch is said at
the end."""

import os
from importlib.util import find_spec

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # before NumPy: processor time counts every thread

import pytest
from hypothesis import HealthCheck, settings

slow_is_fine = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile(
    "same every time",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=slow_is_fine,
)
settings.load_profile("same every time")

NO_TORCH = "PyTorch is not installed"


@pytest.fixture(scope="session")
def torch():
    """PyTorch on one thread, or a skip."""
    if find_spec("torch") is None:
        pytest.skip(NO_TORCH)
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


def pytest_terminal_summary(terminalreporter):
    """Say how many tests had no PyTorch to compare with."""
    missing = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if NO_TORCH in str(report.longrepr)
    ]
    if missing:
        terminalreporter.write_line(
            f"{len(missing)} tests skipped: {NO_TORCH} (pip install torch==2.13.0, the CPU build)"
        )
