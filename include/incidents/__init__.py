"""Incidents: one message per cause of failures, one when it is over, and the command that fixes it.

| module | does |
| --- | --- |
| ``kinds`` | the table of kinds: how an error is recognised, what is at fault, what fixes it |
| ``causes`` | finds the cause of an error: (place, kind, resource) |
| ``notifier`` | the callback of DAGs |
| ``opening`` | the one place that opens incidents |
| ``spool`` | keeps failures in local files while the warehouse is down |
| ``message``, ``delivery`` | the text of a message; sends it until its target accepts it |
| ``closing`` | checks whether failures are gone, and closes |

DAG files import this package at every parse, so its modules import no Airflow and no driver at the top,
except ``closing``.
"""

from include.incidents.error_text import first_line
from include.incidents.notifier import FailureNotifier

__all__ = ["FailureNotifier", "first_line"]
