"""Running the pipeline: a stage, or a firm's stages in order, for Airflow and the command line alike.

What a step does follows from its kind (``kinds.py``) and its row (``steps.py``). Where its rows are stored
follows from (firm, dataset, slice). So any step can be rerun alone, as often as needed.
"""

from include.run.attempts import Attempt
from include.run.stage import WRITERS, NoRoomError, Outcome, run_stage, run_step

__all__ = ["WRITERS", "Attempt", "NoRoomError", "Outcome", "run_stage", "run_step"]
