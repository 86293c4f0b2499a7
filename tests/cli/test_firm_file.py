"""A YAML file of firms: every error names the line and the field, and what is meant."""

from __future__ import annotations

import pytest

from include.cli.firm_file import read_firms

GOOD = """\
firm_key: acme
name: Acme
source: {kind: csv, uri: file:///tmp, layout: cdnow}
timezone: Europe/London
currency: GBP
working_day_period: 1
churn_threshold_days: 90
"""


def refused(tmp_path, text) -> str:
    file = tmp_path / "firms.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    found = read_firms(file)
    assert found.firms == []
    return "; ".join(reason for _, reason in found.refused).replace(str(file), "F")


def test_one_firm_or_a_list_is_read(tmp_path):
    one, many = tmp_path / "one.yaml", tmp_path / "many.yaml"
    one.write_text(GOOD)
    rest = "".join(f"  {line}\n" for line in GOOD.splitlines()[1:])
    many.write_text(f"- firm_key: acme\n{rest}- firm_key: zeta\n{rest}")

    assert [firm.firm_key for firm in read_firms(one).firms] == ["acme"]
    assert [firm.firm_key for firm in read_firms(many).firms] == ["acme", "zeta"]


def test_defaults_that_firms_share_may_be_merged(tmp_path):
    shared = "".join(f"  {line}\n" for line in GOOD.splitlines()[1:])
    file = tmp_path / "firms.yaml"
    file.write_text(f"- &acme\n  firm_key: acme\n{shared}- <<: *acme\n  firm_key: zeta\n")

    assert [firm.firm_key for firm in read_firms(file).firms] == ["acme", "zeta"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "name: Acme 2\n", "F, line 8: name was given on line 2 already"),
        (GOOD + "rfm:\n  new_days: 3\n  new_days: 4\n", "F, line 10: new_days was given on line 9 already"),
        (
            GOOD.replace("period: 1", "period: yes"),
            "F, line 6: firm acme: working_day_period: must be a number, not yes or no",
        ),
        (GOOD.replace("GBP", "gbp"), "F, line 5: firm acme: currency: must be a code of ISO 4217"),
        (
            GOOD.replace("GBP", "GPB"),
            "F, line 5: firm acme: currency: GPB is no code of ISO 4217, did",
        ),
        (
            GOOD.replace("Europe/London", "Europe/Londn"),
            "F, line 4: firm acme: timezone: 'Europe/Londn' is not a time zone",
        ),
        (
            GOOD.replace("layout: cdnow", "layout: auto, options: {date_ordr: dmy}"),
            "F, line 3: firm acme: source.options.date_ordr: there is no such field, did you mean 'date",
        ),
        (GOOD + "ltv: {margin_share: on}\n", "line 8: firm acme: ltv.margin_share: must be a number"),
        (
            GOOD + "engin: duckdb\n",
            "F, line 8: firm acme: engin: there is no such field, did you mean 'engine'?",
        ),
        (
            GOOD + "rfm:\n  window_day: 30\n",
            "F, line 9: firm acme: rfm.window_day: there is no such field, did you mean 'window_days'?",
        ),
        (GOOD.replace("layout", "layuot"), "source.layuot: there is no such field, did you mean 'layout'?"),
        (GOOD + "modules: [rfm, chrun]\n", "did you mean 'churn'?"),
        (GOOD + "engine: spark\n", "F, line 8: firm acme: engine: Input should be 'duckdb'"),
        (GOOD + "min_spend: .inf\n", "F, line 8: firm acme: min_spend: must be a finite number"),
        (GOOD + "min_spend: 1e400\n", "F, line 8: firm acme: min_spend: Input should be a finite number"),
        (GOOD + "min_spend: .nan\n", "F, line 8: firm acme: min_spend: must be a finite number"),
        (GOOD + "min_spend: 1.0e+300\n", "F, line 8: firm acme: min_spend: Input should be less than"),
        (GOOD + f"min_orders: {10**400}\n", "F, line 8: firm acme: min_orders: must be a number of at most"),
        (GOOD + f"min_orders: {'9' * 6000}\n", "F, line 8: cannot be read as int"),
        (GOOD + "rfm: {quantiles: [0.2, .nan, 0.6, 0.8]}\n", "rfm.quantiles.1: must be a finite number"),
        (
            GOOD + "quality: {customers: {row_count: {most: .inf}}}\n",
            "quality.customers.row_count.most: must be a finite number",
        ),
        (GOOD + "rfm: {segments: [{x: .inf}]}\n", "rfm.segments.0.x: must be a finite number"),
        (GOOD.replace("Acme", '"A\\0me"'), "F, line 2: firm acme: name: must be text without NUL"),
        (GOOD + "day: 2026-13-45\n", "F, line 8: cannot be read as timestamp"),
        (GOOD.encode().replace(b"Acme", b"Caf\xe9"), "F, line 2: byte 0xe9 is not UTF-8"),
        (GOOD.encode("utf-16"), "F, line 1: byte 0xff is not UTF-8"),
        (b"firm_key: a\0b\n", "unacceptable character"),
        ("[" * 5000, "nested too deeply"),
        ("a: &a [*a]\n", "values"),
        ("", "expected a mapping of a firm's fields"),
        (GOOD + "---\n" + GOOD, "F, line 8: but found another document"),
        ("- {firm_key: acme}\n- {firm_key: acme, nam: x}\n", "F, line 1: firm acme"),
        ("name: [\n", "F, line 2: "),
    ],
    ids=lambda value: None,
)
def test_an_error_is_reported_with_its_line(tmp_path, text, message):
    assert message in refused(tmp_path, text)


def test_a_firm_that_occurs_twice_in_the_file_is_refused(tmp_path):
    rest = "".join(f"  {line}\n" for line in GOOD.splitlines()[1:])

    assert "firm acme occurs 2 times in F; keep one" in refused(
        tmp_path, f"- firm_key: acme\n{rest}- firm_key: acme\n{rest}"
    )


def test_an_alias_bomb_is_refused_quickly(tmp_path):
    bomb = "a0: &a0 {x: 1}\n" + "".join(
        f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
    )

    assert "with its aliases it has more than" in refused(tmp_path, bomb)
