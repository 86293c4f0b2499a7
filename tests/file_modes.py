"""Which files and folders group or others may use."""

from collections.abc import Collection
from pathlib import Path


def open_to_others(folder: Path, *, but: Collection[str] = ()) -> set[tuple[str, int]]:
    """Files and folders, by path, that group or others may use, and the bits that let them."""
    found = set()
    for path in (folder, *folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] not in but and (bits := path.lstat().st_mode & 0o077) and not path.is_symlink():
            found.add((name, bits))
    return found
