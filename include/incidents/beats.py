"""The success callback of the upkeep DAG's tasks: an incident of such a task is over when it succeeds."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from include.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class UpkeepBeat:
    """Records that a task of upkeep has done its work. It never raises."""

    def __call__(self, context: Mapping[str, Any]) -> None:
        """Record the task's heartbeat."""
        # Not at the top: DAG files import this module, and the database driver is slow to import.
        from include.warehouse.heartbeats import Heartbeats

        try:
            with Heartbeats(Settings.read().warehouse_dsn()) as heartbeats:
                heartbeats.beat(f"upkeep.{context['ti'].task_id}")
        except Exception:
            log.exception("A heartbeat was not recorded")
