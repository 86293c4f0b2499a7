"""The console: what a marketer, an analyst and an engineer see of their firms, inside Airflow.

``asgi.CONSOLE`` is what ``plugins/console_plugin.py`` registers: an API (``/firmament/api/v1``) and the files
of the pages (``/firmament/static``). It loads FastAPI and the database driver at the first request, so the
scheduler and the DAG processor, which import every plugin, do not pay for them.

Every number comes from a view of the schema ``mart`` or a table of ``control``, by a statement of
``include/sql/console/``. The console computes none.
"""
