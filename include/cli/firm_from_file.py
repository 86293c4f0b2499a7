"""``firms add --from``: write the YAML of a firm whose sales are files like the given one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from include.cli.console import check_out_file, console
from include.cli.file_options import settled
from include.cli.inspect import show_findings
from include.command_errors import QUESTION, BadInputError, show

if TYPE_CHECKING:
    from include.intake import Options, Reading

OPTIONS = (
    "date_order", "decimal_mark", "currency", "amount", "price", "encoding", "delimiter", "sheet",
    "repeated_orders",
)  # fmt: skip
HEAD = """\
# A firm that reads every sales file of the folder source.uri. Check timezone, currency, working_day_period
# and churn_threshold_days, then: python -m include firms add --file {file}
"""


def write_firm(file: Path, options: Options, *, key: str, out: Path | None) -> None:
    """Write the firm's YAML to ``out`` (default: KEY.yaml); exit 3 when the file leaves a question."""
    from include.cli.firms_add import yaml_of
    from include.firms import NAME, FirmError, parse_firm

    key = key or _key_of(file)
    if not NAME.fullmatch(key):
        raise BadInputError(f"--key {key}: use lower case letters, digits and underscores")
    out = out or Path(f"{key}.yaml")
    check_out_file(out, option="--file")
    if out.exists():
        raise BadInputError(f"--file {out} exists; name another file")
    reading, options = settled(file, options)
    if reading.answer.exit_code:
        show_findings(reading.answer)
    if reading.answer.refusal:
        raise BadInputError(str(reading.answer.refusal))
    if reading.answer.question:
        show(f"{reading.answer.question.text}\nDecide with {reading.answer.question.option}")
        raise typer.Exit(QUESTION)
    row = _row(file, reading, options, key=key)
    try:
        firm = parse_firm(row)
    except FirmError as error:
        raise BadInputError(error.args[0]) from None
    text = HEAD.format(file=out) + yaml_of(firm)
    # A default is not a decision: these fields are for the owner to check.
    out.write_text(text, encoding="utf-8")
    answer = reading.answer
    console.print(
        f"{file.name}: {answer.customers:,} customers, {answer.orders:,} orders, {answer.net_amount:,.2f} "
        f"{firm.currency}, {answer.first_day} to {answer.last_day}",
        markup=False,
        highlight=False,
    )
    for message in answer.findings.warnings:
        console.print(f"! {message.text}", style="yellow", markup=False, highlight=False)
    _say_others(file)
    console.print(
        f"wrote {out}; next: python -m include firms add --file {out}", markup=False, soft_wrap=True
    )


def _row(file: Path, reading: Reading, options: Options, *, key: str) -> dict[str, Any]:
    from include.intake.form import form_of_reading

    lines, answer = reading.lines, reading.answer
    assert lines is not None
    if not options.timezone and (lines.times.has_offset or lines.mapping.platform.zone):
        raise BadInputError(
            f"{file.name}: its times are instants, so its days depend on the shop's time zone: "
            "--timezone Europe/Istanbul"
        )
    currency = options.currency or answer.currency
    if not currency:
        raise BadInputError(f"{file.name} does not name its currency: --currency EUR")
    folder = file if file.is_dir() else file.parent
    given = {name: value for name in OPTIONS if (value := getattr(options, name)) is not None}
    if "other_currency" not in {message.code for message in answer.findings.warnings}:
        given.pop("currency", None)  # it names the currency and leaves no row out
    if options.has_header is not None:
        given["header"] = options.has_header
    source: dict[str, Any] = {"kind": "csv", "uri": folder.resolve().as_uri(), "layout": "auto"}
    if options.mapping:
        source["mapping"] = dict(options.mapping)
    if given:
        source["options"] = given
    form = form_of_reading(file, reading, options)
    source["understood"] = [form.model_dump(mode="json", exclude_none=True)]
    return {
        "firm_key": key,
        "name": key.replace("_", " ").title(),
        "source": source,
        "timezone": options.timezone or "UTC",
        "currency": currency,
        "working_day_period": 1,
        "churn_threshold_days": 90,
    }


def _key_of(file: Path) -> str:
    """A key from the name of the file's folder, or of the file where the folder has none."""
    name = re.sub(r"[^a-z0-9]+", "_", file.resolve().stem.lower()).strip("_")
    return name if name[:1].isalpha() else f"firm_{name}"


def _say_others(file: Path) -> None:
    from include.data_files.folder import data_files
    from include.sources.understood_files import ENDINGS

    if file.is_dir():
        return
    others = [f.path.name for f in data_files(file.resolve().parent, ENDINGS) if f.path != file.resolve()]
    if others:
        console.print(
            f"! The firm reads every file of {file.resolve().parent}, also {', '.join(others[:3])}"
            f"{' and others' if len(others) > 3 else ''}: give it a folder of its own if they are not its "
            "sales",
            style="yellow", markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
