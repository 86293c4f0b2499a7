"""Shows a damaged registry as an import error of this file, which has no DAGs to lose.

Airflow retires every DAG of a file that fails to import. So the shards go on with the last
good registry, and the error appears here, in the list of import errors of the Airflow UI.
"""

from include.registry import read_registry
from include.settings import Settings

read_registry(Settings.read().registry)
