"""Run the pipeline: one stage, or all stages of a firm in order, for Airflow and the command line.

A step is defined by its kind (``kinds.py``) and its row (``steps.py``). Its rows are stored under
(firm, dataset, slice), so any step can be rerun alone, as often as needed.
"""

from include.run.attempts import Attempt
from include.run.stage import WRITERS, NoRoomError, Outcome, run_stage, run_step

__all__ = ["WRITERS", "Attempt", "NoRoomError", "Outcome", "run_stage", "run_step"]
