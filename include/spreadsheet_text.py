"""Texts that a spreadsheet would run as a formula (OWASP, "CSV Injection"), made into plain texts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

# Excel, LibreOffice and Google Sheets: a cell that begins so is a formula. With full-width forms.
FORMULA = r"^[\s\x00]*[=+\-@\t\r\n\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
BOM = b"\xef\xbb\xbf"  # Excel reads csv as UTF-8 only with it
XLSX_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}
LONGEST_XLSX_TEXT = 32_767


def safe(column: pa.Array) -> pa.Array:
    """Texts with a leading apostrophe where a spreadsheet would read a formula."""
    return pc.replace_substring_regex(column, f"({FORMULA})", r"'\1")
