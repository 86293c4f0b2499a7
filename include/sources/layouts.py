"""The layouts of sales files: the columns a file must have, and its text format.

A layout lists the accepted headers for each column of its statement,
``sql/extract/csv/<layout>/transactions.sql``. Layout ``mapped`` takes them from the firm's row.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from include.firms import Firm, is_time_zone
from include.row_checks import did_you_mean
from include.sources import SourceRowError

OPTIONS = ("encoding", "delimiter", "zone", "date_format", "decimal_mark")
MAPPED_COLUMNS = (
    "transaction_id",
    "line_id",
    "kind",
    "occurred_at",
    "customer_id",
    "product_id",
    "quantity",
    "unit_price",
    "gross_amount",
    "discount_amount",
    "net_amount",
    "margin_amount",
    "channel",
    "payment_method",
    "programme_id",
    "product_name",
    "department",
    "category",
    "brand",
    "country",
    "city",
    "may_contact",
    "do_not_contact",
)


@dataclass(frozen=True)
class Layout:
    """The columns and text format of one firm's files."""

    name: str
    columns: Mapping[str, tuple[str, ...]]  # the statement's column -> accepted headers
    optional: frozenset[str] = frozenset()
    headerless: tuple[str, ...] = ()  # the columns of a file without a header line
    has_products: bool = True
    encoding: str = "utf-8"
    delimiter: str = ","
    params: Mapping[str, object] = field(default_factory=dict)
    is_auto: bool = False  # read by include/intake; the columns are its own

    def place(self, names: Sequence[str], *, where: str) -> dict[str, int]:
        """The position of each column among a file's names; SourceRowError when one is missing."""
        tidy = [_tidy(name) for name in names]
        found = {}
        for column, headers in self.columns.items():
            at = [i for i, name in enumerate(tidy) if name in {_tidy(h) for h in headers}]
            if len(at) > 1:
                raise SourceRowError(f"{where}: column {names[at[0]]!r} occurs {len(at)} times; keep one")
            if at:
                found[column] = at[0]
            elif column not in self.optional:
                wanted = " or ".join(repr(header) for header in headers)
                raise SourceRowError(
                    f"{where}: no column {wanted}; the file has {list(names)[:30]}. "
                    f"Layout {self.name} needs it: see docs/sources.md, 'csv'"
                )
        return found

    def is_data(self, first_line: Sequence[str]) -> bool:
        """Whether this first line is data, so that the file has no header."""
        return (
            len(first_line) == len(self.headerless) > 0
            and re.fullmatch(r"\d{4}-?\d\d-?\d\d.*", first_line[self.headerless.index("date")].strip())
            is not None
        )


ONLINE_RETAIL = Layout(
    name="online_retail",
    columns={
        "invoice_no": ("InvoiceNo", "Invoice"),
        "stock_code": ("StockCode",),
        "description": ("Description",),
        "quantity": ("Quantity",),
        "invoice_date": ("InvoiceDate",),
        "unit_price": ("UnitPrice", "Price"),
        "customer_id": ("CustomerID", "Customer ID"),
        "country": ("Country",),
    },
)

CDNOW = Layout(
    name="cdnow",
    columns={
        "customer_id": ("customer_id",),
        "day": ("date",),
        "cds": ("cds", "number_of_cds"),
        "spend": ("spend", "dollar_value"),
    },
    headerless=("customer_id", "date", "cds", "spend"),
    has_products=False,
)

LAYOUTS = {layout.name: layout for layout in (ONLINE_RETAIL, CDNOW)}
KNOWN = [*sorted(LAYOUTS), "mapped", "auto"]


def layout_of(firm: Firm) -> Layout:
    """The layout of a firm's files with the options of its row; SourceRowError when they are invalid."""
    where = f"firm {firm.firm_key}, csv source"
    mapping = dict(firm.source.mapping or {})
    name = firm.source.layout or ("mapped" if mapping else "")
    if name == "auto" or (name not in (*LAYOUTS, "mapped", "") and name in platform_names()):
        return _auto(firm, name, where=where)
    if firm.source.options or firm.source.understood:
        raise SourceRowError(
            f"{where}: layout {name} takes no source.options and no source.understood; use layout auto, or "
            "the options of source.mapping"
        )
    if name == "mapped":
        layout = _mapped({k: v for k, v in mapping.items() if k not in OPTIONS}, where=where)
    elif name in LAYOUTS:
        layout = LAYOUTS[name]
        if unknown := sorted(set(mapping) - set(OPTIONS)):
            raise SourceRowError(
                f"{where}: layout {name} takes no mapping of {unknown}; use layout mapped for other files"
            )
    else:
        raise SourceRowError(
            f"{where}: layout {name!r} is unknown{did_you_mean(name, (*KNOWN, *platform_names()))}; "
            f"there are {KNOWN} and the platforms of docs/intake.md"
        )
    return _with_options(layout, {k: v for k, v in mapping.items() if k in OPTIONS}, firm, where=where)


def is_auto(firm: Firm) -> bool:
    """Whether include/intake reads the firm's files: layout auto, or a platform of it."""
    return firm.source.kind == "csv" and layout_of(firm).is_auto


@cache
def platform_names() -> tuple[str, ...]:
    """The platforms that include/intake knows; each is a layout."""
    from include.intake.platforms import PLATFORMS

    return tuple(platform.name for platform in PLATFORMS if platform.refuse is None)


def _auto(firm: Firm, name: str, *, where: str) -> Layout:
    from include.intake.every_row import COLUMNS
    from include.intake.mapping import ROLES

    if unknown := sorted(set(firm.source.mapping or {}) - set(ROLES)):
        raise SourceRowError(
            f"{where}: mapping names unknown columns {unknown}{did_you_mean(unknown[0], ROLES)}; layout "
            f"{name} has {list(ROLES)}; encoding, delimiter and the like are fields of source.options"
        )
    forms = firm.source.understood or ()
    for form in forms:
        if unknown := sorted(set(form.columns) - set(ROLES)):
            raise SourceRowError(f"{where}: understood.columns names unknown columns {unknown}")
        if name != "auto" and form.platform != name:
            raise SourceRowError(
                f"{where}: the files are of {form.platform or 'no known platform'}, not {name}; "
                "set source.layout: auto"
            )
    options = firm.source.options
    return Layout(
        name="auto",
        columns={column: (column,) for column in COLUMNS},
        has_products=any("product_id" in form.columns for form in forms),
        params={
            "zone": firm.timezone,
            "repeated_orders": options.repeated_orders if options else None,
        },
        is_auto=True,
    )


def _mapped(mapping: dict[str, str], *, where: str) -> Layout:
    """Layout of a mapping from canonical to file columns; an empty one keeps the canonical names."""
    if unknown := sorted(set(mapping) - set(MAPPED_COLUMNS)):
        raise SourceRowError(
            f"{where}: mapping names unknown columns {unknown}; there are {list(MAPPED_COLUMNS)} "
            f"and the options {list(OPTIONS)}"
        )
    if not mapping:
        required = {"transaction_id", "occurred_at", "customer_id", "net_amount"}
    else:
        required = set(mapping)
        if missing := [name for name in ("transaction_id", "occurred_at") if name not in mapping]:
            raise SourceRowError(f"{where}: mapping must name the file's columns for {missing}")
        if not required & {"net_amount", "gross_amount", "unit_price"}:
            raise SourceRowError(f"{where}: mapping must name one of net_amount, gross_amount or unit_price")
    return Layout(
        name="mapped",
        # A column that the mapping omits has no header, so its values are null.
        columns={
            name: (mapping.get(name, name),) if not mapping or name in mapping else ()
            for name in MAPPED_COLUMNS
        },
        optional=frozenset(MAPPED_COLUMNS) - required,
        has_products=not mapping or "product_id" in mapping,
    )


def _with_options(layout: Layout, options: dict[str, str], firm: Firm, *, where: str) -> Layout:
    encoding = options.get("encoding", layout.encoding)
    try:
        encoding = codecs.lookup(encoding).name
    except LookupError:
        raise SourceRowError(
            f"{where}: encoding {encoding!r} is unknown; use utf-8, cp1252, cp1254, …"
        ) from None
    delimiter = {"tab": "\t", "\\t": "\t"}.get(options.get("delimiter", ","), options.get("delimiter", ","))
    if len(delimiter) != 1 or delimiter in '"\r\n\0':
        raise SourceRowError(f"{where}: delimiter {delimiter!r} must be one character, or 'tab'")
    zone = options.get("zone", firm.timezone)
    if not is_time_zone(zone):
        raise SourceRowError(f"{where}: zone {zone!r} is not a time zone of the tz database")
    decimal_mark = options.get("decimal_mark", ".")
    if decimal_mark not in (".", ","):
        raise SourceRowError(f"{where}: decimal_mark {decimal_mark!r} must be '.' or ','")
    return Layout(
        name=layout.name,
        columns=layout.columns,
        optional=layout.optional,
        headerless=layout.headerless,
        has_products=layout.has_products,
        encoding=encoding,
        delimiter=delimiter,
        params={
            "zone": zone,
            "decimal_mark": decimal_mark,
            "date_format": options.get("date_format"),
        },
    )


def _tidy(name: str) -> str:
    return name.strip().strip("\ufeff").casefold()
