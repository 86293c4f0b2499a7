"""Read a YAML file of firms, and report each error with its line in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from include.command_errors import BadInputError
from include.currency_codes import CODES
from include.firms import NAME, Firm, FirmError, parse_firm
from include.row_checks import DEEPEST, Place, did_you_mean

MOST_BYTES = 4 << 20
MOST_NODES = 200_000  # including repetitions by aliases


class _Loader(yaml.SafeLoader):
    """YAML's safe types; a value that cannot be read is an error with its line."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value of a node."""
        try:
            return super().construct_object(node, deep=deep)
        except (yaml.YAMLError, RecursionError):
            raise
        except Exception as error:  # PyYAML does not catch what int(), date() and others raise
            problem = f"cannot be read as {node.tag.rpartition(':')[2]} ({type(error).__name__})"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark) from None


@dataclass
class FirmFiles:
    """The firms that can be used, in order, and why each other entry of the files cannot."""

    firms: list[Firm] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)  # the firm's key or the file, and the reason


def read_firms(place: Path) -> FirmFiles:
    """The firms of a file, or of each .yaml and .yml file of a folder.

    BadInputError when a folder has no such file. A key that occurs twice is refused each time.
    """
    files = _files(place)
    found = FirmFiles()
    homes: dict[str, list[Path]] = {}
    for file in files:
        try:
            rows = _rows(file)
        except (BadInputError, OSError) as error:
            reason = f"--file {file}: {error.strerror}" if isinstance(error, OSError) else str(error)
            found.refused.append((file.name, reason))
            continue
        for firm in rows:
            if isinstance(firm, tuple):
                found.refused.append(firm)
            else:
                found.firms.append(firm)
                homes.setdefault(firm.firm_key, []).append(file)
    for key, places in homes.items():
        if len(places) > 1:
            where = ", ".join(str(one) for one in dict.fromkeys(places))
            found.refused.append((key, f"firm {key} occurs {len(places)} times in {where}; keep one"))
    found.firms = [firm for firm in found.firms if len(homes[firm.firm_key]) == 1]
    return found


def _files(place: Path) -> list[Path]:
    try:
        if not place.is_dir():
            return [place]
        files = sorted(file for file in place.iterdir() if file.suffix in (".yaml", ".yml"))
    except OSError as error:
        raise BadInputError(f"--file {place}: {error.strerror}") from None
    if not files:
        raise BadInputError(f"--file {place}: the folder has no .yaml file of a firm")
    return files


def _rows(file: Path) -> list[Firm | tuple[str, str]]:
    """Each firm of a file, or its key and why its row cannot be used; BadInputError names file and line."""
    text = _text(file)
    try:
        loader = _Loader(text)
        try:
            root = loader.get_single_node()
            lines = dict(_lines(file, root))
            content = loader.construct_document(root) if root is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInputError(f"{file}{line}: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise BadInputError(f"{file}: {str(error).splitlines()[0]}") from None
    except RecursionError:
        raise BadInputError(f"{file}: nested too deeply; a firm's fields have at most four levels") from None
    rows = content if isinstance(content, list) else [content]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInputError(f"{file}: expected a mapping of a firm's fields, or a list of them")
    found: list[Firm | tuple[str, str]] = []
    for number, row in enumerate(rows):
        try:
            found.append(_with_known_currency(parse_firm(row)))
        except FirmError as error:
            base: Place = (number,) if isinstance(content, list) else ()
            key = row.get("firm_key")
            name = key if isinstance(key, str) and NAME.fullmatch(key) else f"{file.name}, entry {number + 1}"
            found.append((name, _with_lines(file, row, error, lines, base)))
    return found


def _with_known_currency(firm: Firm) -> Firm:
    """The firm; FirmError when its currency has the form of a code and is none."""
    if firm.currency not in CODES:
        hint = did_you_mean(firm.currency, sorted(CODES))
        reason = f"{firm.currency} is no code of ISO 4217{hint}"
        raise FirmError(f"firm {firm.firm_key}: currency: {reason}", ((("currency",), reason),))
    return firm


def _text(file: Path) -> str:
    with file.open("rb") as source:
        data = source.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise BadInputError(f"{file} is larger than {MOST_BYTES:,} bytes; is it a file of firms?")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadInputError(
            f"{file}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None


def _lines(file: Path, root: yaml.Node | None) -> Iterator[tuple[Place, int]]:
    """The line of each field; BadInputError for a duplicate key, which YAML would accept."""
    waiting: list[tuple[Place, yaml.Node]] = [((), root)] if root is not None else []
    seen = 0
    while waiting:
        place, node = waiting.pop()
        seen += 1
        if seen > MOST_NODES or len(place) > DEEPEST:
            raise BadInputError(
                f"{file}: with its aliases it has more than {MOST_NODES:,} values or {DEEPEST} levels"
            )
        if isinstance(node, yaml.SequenceNode):
            for number, inner in enumerate(node.value):
                yield (*place, number), inner.start_mark.line + 1
                waiting.append(((*place, number), inner))
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, int] = {}
            for key, inner in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    continue  # a firm's field is text: parse_firm refuses the rest
                if key.tag == "tag:yaml.org,2002:merge":
                    waiting.append(((*place, "<<"), inner))  # counts towards MOST_NODES only
                    continue
                line = key.start_mark.line + 1
                if key.value in first:
                    raise BadInputError(
                        f"{file}, line {line}: {key.value} was given on line {first[key.value]} already; "
                        "keep one"
                    )
                first[key.value] = line
                yield (*place, key.value), line
                waiting.append(((*place, key.value), inner))


def _with_lines(
    file: Path, row: dict[Any, Any], error: FirmError, lines: dict[Place, int], base: Place
) -> str:
    """The faults of one firm, one per line, with their line in the file."""
    if not error.faults:
        return f"{file}: {error}"
    key = row.get("firm_key")
    of = f"firm {key}: " if isinstance(key, str) and NAME.fullmatch(key) else ""
    message = []
    for place, what in error.faults:
        at = (*base, *place)
        while at and at not in lines:
            at = at[:-1]
        line = f", line {lines[at]}" if at in lines else ""
        message.append(f"{file}{line}: {of}{'.'.join(map(str, place)) or 'row'}: {what}")
    return "\n".join(message)
