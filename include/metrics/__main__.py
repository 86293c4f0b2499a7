"""Write ``docs/metrics.md``: ``python -m include.metrics``."""

from include.metrics.write import PAGE, render

PAGE.write_text(render())
print(f"wrote {PAGE.name}")
