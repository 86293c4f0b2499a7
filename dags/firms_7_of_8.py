"""DAGs of the firms in shard 7 of 8, built on Airflow by ``firm_dag.py``; an empty shard imports nothing."""

from include.settings import Settings
from include.shards import is_empty

if not is_empty(Settings.read().registry, 7, of=8):
    from firm_dag import build_shard

    build_shard(7, of=8)
