"""The churn model as rows; ``include/models/artefact.py`` says how they are kept."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.models import artefact
from include.models.artefact import write

__all__ = ["MEND", "ArtefactError", "read", "version_of", "write"]

MEND = "train it anew: run the firm from step churn_training with --full"


class ArtefactError(artefact.TamperedModel):
    """A churn model's rows are missing a part or are not what was written; it must not score anybody."""


def read(model: pa.Table) -> dict[str, Any]:
    """The parts, decoded, with ``version``; ArtefactError when one is missing or was tampered with."""
    return artefact.read(model, module="churn", dataset="churn_model", mend=MEND, error=ArtefactError)


def version_of(model: pa.Table) -> str:
    """A name for exactly this model: its anchor and a hash of all its parts."""
    version: str = read(model)["version"]
    return version
