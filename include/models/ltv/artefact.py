"""Read and write the value model as rows; see ``include/models/artefact.py``."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.models import artefact
from include.models.artefact import write

__all__ = ["FIX", "ValueArtefactError", "read", "write"]

FIX = "run the firm from step value_histories with --full to train it again"


class ValueArtefactError(artefact.TamperedModel):
    """A value model is incomplete or altered and must not be used."""


def read(model: pa.Table) -> dict[str, Any]:
    """The decoded parts and ``version``; ValueArtefactError if a part is missing or altered."""
    return artefact.read(model, module="ltv", dataset="value_model", fix=FIX, error=ValueArtefactError)
