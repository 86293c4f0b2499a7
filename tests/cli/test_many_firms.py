"""``firms`` ``add``, ``change``, ``pause``, ``remove`` of many: a refused one is named, the rest is done."""

import pytest
import yaml
from typer.testing import CliRunner

from include.cli import app
from include.firms import parse_firm
from include.registry import read_registry
from include.settings import Settings
from include.warehouse import Warehouse

ROW = {
    "name": "A firm",
    "timezone": "Europe/London",
    "currency": "GBP",
    "working_day_period": 1,
    "churn_threshold_days": 90,
}
KEYS = tuple(f"firm_{number:02}" for number in range(12))


@pytest.fixture
def row(tmp_path, migrated_dsn, monkeypatch):
    monkeypatch.setenv("FIRMAMENT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FIRMAMENT_WAREHOUSE_DSN", migrated_dsn)
    (tmp_path / "sales").mkdir()
    source = {"kind": "csv", "uri": (tmp_path / "sales").as_uri(), "layout": "cdnow"}
    return lambda key, **changes: ROW | {"firm_key": key, "source": source} | changes


@pytest.fixture
def folder(tmp_path, row):
    """A folder with a file for each of twelve firms."""
    place = tmp_path / "firms"
    place.mkdir()
    for key in KEYS:
        (place / f"{key}.yaml").write_text(yaml.safe_dump(row(key)))
    return place


def command(*words, code=0):
    done = CliRunner().invoke(app, ["firms", *map(str, words)], env={"COLUMNS": "300"})
    assert done.exit_code == code, done.output
    return done.output


def saved():
    with Warehouse(Settings.read().warehouse_dsn()) as warehouse:
        return {found["firm_key"]: parse_firm(found) for found in warehouse.firms.firm_rows()}


def registered():
    return {shape.firm_key: shape for shape in read_registry(Settings.read().registry)}


@pytest.fixture
def twelve(folder):
    command("add", "--file", folder, "--no-check")
    return folder


def test_a_folder_of_files_is_saved_and_each_refused_firm_is_named(folder, row):
    (folder / "bad.yaml").write_text(yaml.safe_dump(row("bad", currency="GPB")))
    (folder / "broken.yml").write_text("firm_key: [")
    (folder / "again.yaml").write_text(yaml.safe_dump(row("firm_03")))
    (folder / "notes.txt").write_text("no firm")

    said = command("add", "--file", folder, "--no-check", code=2)

    assert set(saved()) == set(registered()) == set(KEYS) - {"firm_03"}
    assert "saved: 11 of 14 firms; refused: bad, broken.yml, firm_03" in said
    assert "GPB is no code of ISO 4217" in said
    assert "broken.yml, line 1:" in said
    assert "firm firm_03 occurs 2 times" in said


def test_a_dry_run_saves_nothing_and_a_folder_without_firms_is_refused(folder, tmp_path):
    said = command("add", "--file", folder, "--no-check", "--dry-run")

    assert "would be saved: 12 of 12 firms" in said
    assert saved() == {}
    assert "no .yaml file" in command("add", "--file", tmp_path / "sales", code=2)


def test_a_field_of_all_firms_is_changed_and_null_takes_it_back(twelve):
    command("change", "--all", "--set", "dag_shape=compact", "--set", "alerts.tier=low")

    assert {(firm.dag_shape, firm.alerts.tier) for firm in saved().values()} == {("compact", "low")}
    assert {shape.dag_shape for shape in registered().values()} == {"compact"}

    said = command("change", "firm_01", "firm_02", "--set", "dag_shape=null")

    assert "dag_shape: compact -> staged" in said
    assert [key for key, firm in saved().items() if firm.dag_shape == "staged"] == ["firm_01", "firm_02"]


def test_a_change_that_one_firm_cannot_have_is_refused_for_it_alone(twelve):
    command("change", "firm_05", "--set", "rfm.active_days=150")

    said = command("change", "--all", "--set", "rfm.passive_days=120", code=2)

    assert "changed: 11 of 12 firms; refused: firm_05" in said
    assert "firm firm_05: rfm" in said
    assert {key for key, firm in saved().items() if firm.rfm.passive_days == 120} == set(KEYS) - {"firm_05"}


def test_a_change_that_names_a_connection_is_checked_first(twelve):
    said = command("change", "firm_01", "--set", "alerts={slack: nowhere}", code=2)

    assert "no connection 'nowhere'" in said
    assert saved()["firm_01"].alerts.slack is None


def test_several_firms_are_paused_and_the_unknown_one_is_named(twelve):
    said = command("pause", "firm_01", "nowhere", "firm_02", code=2)

    assert "paused: 2 of 3 firms; refused: nowhere" in said
    assert [key for key, shape in registered().items() if shape.is_paused] == ["firm_01", "firm_02"]

    command("pause", "--all", "--resume")

    assert not any(shape.is_paused for shape in registered().values())


def test_many_named_firms_are_removed_but_not_others_with_them(twelve):
    command("remove", *KEYS[:6])

    assert set(registered()) == set(saved()) == set(KEYS[6:])

    assert "add --yes" in command("remove", "--all", code=2)
    command("remove", "--all", "--yes")

    assert registered() == {}


def test_the_registry_still_refuses_to_drop_firms_that_the_command_did_not_name(twelve):
    with Warehouse(Settings.read().warehouse_dsn()) as warehouse:
        warehouse.session.connection.execute(
            "update control.firms set removed_at = now() where firm_key < 'firm_06'"
        )

    said = command("remove", "firm_11", code=1)

    assert "would drop 6 of 12 firms" in said
    assert set(registered()) == set(KEYS)


@pytest.mark.parametrize("words", [("pause",), ("pause", "firm_01", "--all"), ("change", "--set", "name=x")])
def test_a_command_needs_firms_or_all_and_not_both(twelve, words):
    assert "give --all" in command(*words, code=2)


@pytest.mark.parametrize("setting", ["name", "=x", "firm_key=zeta", "name=[x"])
def test_a_setting_that_cannot_be_read_is_refused_before_a_firm_is_changed(twelve, setting):
    before = saved()

    command("change", "--all", "--set", setting, code=2)

    assert saved() == before
