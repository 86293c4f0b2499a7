"""The version of Firmament, and the hash of the code that runs.

The version follows Semantic Versioning (https://semver.org). It is below 1.0 while names may still change in
a minor version: each change of that kind is in ``docs/renames.md``, and the old name keeps working for one
minor version. Change the number here only; ``CHANGELOG.md`` must have a section for it.
"""

import functools
import hashlib
from pathlib import Path

__version__ = "0.9.0"


@functools.cache
def code_version() -> str:
    """What wrote a manifest or a run: the version and a hash of this package's code and SQL.

    For example ``0.9.0+4f2a91c07b3e``. Two installations with the same text compute the same numbers.
    """
    digest = hashlib.sha256()
    home = Path(__file__).parent
    for path in sorted(p for p in home.rglob("*") if p.suffix in (".py", ".sql")):
        digest.update(f"{path.relative_to(home)}\0".encode() + path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"


def version_of(code: str) -> str | None:
    """The version in a ``code_version``; None for the bare hash that versions before 0.9.0 wrote."""
    version, plus, _ = code.partition("+")
    return version if plus else None
