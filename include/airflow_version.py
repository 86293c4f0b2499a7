"""Refuse an Airflow that is too old, with the reason: when the stack starts and when DAGs are built."""

import functools
import re
from importlib.metadata import PackageNotFoundError, version

OLDEST = (3, 2, 2)
PARTITIONS = (3, 3)
PACKAGE = "apache-airflow-core"  # what `apache-airflow` installs; its version is Airflow's


class AirflowTooOldError(RuntimeError):
    """The installed Airflow is older than the oldest that is supported."""


@functools.cache
def require_airflow() -> str:
    """The installed version of Airflow; AirflowTooOldError when it is older than 3.2.2 or not there."""
    oldest = ".".join(map(str, OLDEST))
    try:
        installed = version(PACKAGE)
    except PackageNotFoundError:
        installed = "before 3.0, or none"  # the package is of Airflow 3
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", installed)
    if numbers is None or tuple(map(int, numbers.groups())) < OLDEST:
        raise AirflowTooOldError(
            f"Airflow {oldest} or newer is needed, and {installed} is installed: earlier versions show logs "
            "of other DAGs and import arbitrary code (CVE-2026-45426, CVE-2026-45360). Install the locked "
            "version: make setup"
        )
    return installed


def has_partitions() -> bool:
    """Whether a task can give its asset's event a partition: Airflow 3.3 or newer."""
    numbers = re.match(r"(\d+)\.(\d+)", require_airflow())
    return numbers is not None and tuple(map(int, numbers.groups())) >= PARTITIONS
