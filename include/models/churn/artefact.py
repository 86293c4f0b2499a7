"""Read and write the churn model as rows; see ``include/models/artefact.py``."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.models import artefact
from include.models.artefact import write

__all__ = ["FIX", "LEAKAGE_CHECKS", "ArtefactError", "read", "version_of", "write"]

FIX = "run the firm from step churn_training with --full to train it again"
LEAKAGE_CHECKS = "sentinel"
"""Part with the results of the leakage checks. The stored name stays, so that older models can be read."""


class ArtefactError(artefact.TamperedModel):
    """A churn model is incomplete or altered and must not be used."""


def read(model: pa.Table) -> dict[str, Any]:
    """The decoded parts and ``version``; ArtefactError if a part is missing or altered."""
    return artefact.read(model, module="churn", dataset="churn_model", fix=FIX, error=ArtefactError)


def version_of(model: pa.Table) -> str:
    """Version of a model: module, training date and hash of its parts."""
    version: str = read(model)["version"]
    return version
