"""The value model as rows; ``include/models/artefact.py`` says how they are kept."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from include.models import artefact
from include.models.artefact import write

__all__ = ["MEND", "ValueArtefactError", "read", "write"]

MEND = "fit it anew: run the firm from step value_histories with --full"


class ValueArtefactError(artefact.TamperedModel):
    """A value model's rows are missing a part or are not what was written; it must not value anybody."""


def read(model: pa.Table) -> dict[str, Any]:
    """The parts, decoded, with ``version``; ValueArtefactError when one is missing or was tampered with."""
    return artefact.read(model, module="ltv", dataset="value_model", mend=MEND, error=ValueArtefactError)
