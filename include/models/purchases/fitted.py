"""Base class of fitted models: parameters, diagnostics, and conversion to and from a storable row."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from include.models.purchases.likelihood import Floats, Optimum


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A maximum-likelihood fit: its parameters are the subclass's own fields, named in ``symbols``.

    ``covariance`` is that of the log-parameters, row by row in the order of ``symbols``; entries of a
    parameter at its bound are 0. ``is_boundary``: the optimum lies at the edge of the parameter space, or
    many parameters fit equally well; predictions are usable, intervals are too narrow.
    """

    model: ClassVar[str]
    symbols: ClassVar[tuple[str, ...]]

    log_likelihood: float
    customers: int
    is_boundary: bool
    is_converged: bool
    covariance: tuple[float, ...]

    @classmethod
    def at(cls, optimum: Optimum, customers: float, **more: Any) -> Self:
        """The fit at an optimum of the likelihood."""
        return cls(
            **dict(zip(cls.symbols, optimum.params.tolist(), strict=True)),
            **more,
            log_likelihood=optimum.log_likelihood,
            customers=round(customers),
            is_boundary=optimum.is_boundary,
            is_converged=optimum.is_converged,
            covariance=optimum.covariance,
        )

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Inverse of ``to_row``, exact to the bit; ValueError if the row is of another model."""
        if row.get("model") != cls.model:
            raise ValueError(f"{cls.model}: the row has parameters of {row.get('model')!r}")
        values = {field.name: row[field.name] for field in fields(cls)}
        return cls(**{**values, "covariance": tuple(values["covariance"])})

    def to_row(self) -> dict[str, Any]:
        """A flat row of JSON values, one per field, and the model's name."""
        return {"model": self.model, **asdict(self), "covariance": list(self.covariance)}

    @property
    def values(self) -> Floats:
        """The parameters as an array, in the order of ``symbols``."""
        return np.array([getattr(self, symbol) for symbol in self.symbols], dtype=np.float64)

    @property
    def log_covariance(self) -> Floats:
        """``covariance`` as a square matrix."""
        return np.array(self.covariance).reshape(len(self.symbols), len(self.symbols))

    def moved(self, symbol: str, log_step: float) -> Self:
        """The same fit with one parameter moved by ``log_step`` on the logarithmic scale."""
        return replace(self, **{symbol: getattr(self, symbol) * float(np.exp(log_step))})
