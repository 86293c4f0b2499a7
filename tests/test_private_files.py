"""Files with customers' names are their owner's alone, whatever the umask."""

import os
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from include import report
from include.cli import app
from include.handoff.folder import FileStore
from include.private_files import close_folder, close_home, open_private, private_folder, private_umask
from include.settings import PROJECT
from tests.file_modes import open_to_others


@pytest.fixture(autouse=True)
def _usual_umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_and_its_missing_parents_are_private(tmp_path):
    private_folder(tmp_path / "a" / "b" / "c")

    assert open_to_others(tmp_path / "a") == set()


def test_a_folder_under_a_file_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "file" / "a")


@pytest.mark.parametrize("how", ["w", "a", "xb"])
def test_a_new_file_is_private(tmp_path, how):
    open_private(tmp_path / "file", how).close()

    assert mode(tmp_path / "file") == 0o600


def test_the_umask_holds_within_and_not_after(tmp_path):
    with private_umask():
        (tmp_path / "within").mkdir()
    (tmp_path / "after").mkdir()

    assert (mode(tmp_path / "within"), mode(tmp_path / "after")) == (0o700, 0o755)


def test_a_store_writes_private_files_in_any_process(tmp_path):
    store = FileStore(tmp_path / "root")

    store.put("acme/index.json", b"{}", None)

    assert open_to_others(tmp_path / "root") == set()


def test_a_home_that_was_open_is_closed(tmp_path):
    home = tmp_path / "home"
    for name in ("handoffs/acme", "logs/tasks", "postgres/data"):
        (home / name).mkdir(parents=True)
    (home / "logs" / "tasks" / "step.log").write_text("Ada")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (home / "logs" / "link").symlink_to(elsewhere)

    close_home(home)

    passable = 0o011 if os.geteuid() == 0 else 0
    assert open_to_others(home, but={"postgres"}) == ({(".", passable)} if passable else set())
    assert mode(home / "postgres") == 0o700 | passable
    assert mode(elsewhere) == 0o755


def test_a_closed_folder_is_not_walked_again(tmp_path):
    (tmp_path / "closed").mkdir(mode=0o700)
    (tmp_path / "closed" / "file").write_text("")

    close_folder(tmp_path / "closed")

    assert mode(tmp_path / "closed" / "file") == 0o644


def test_a_summary_and_a_report_are_private(tmp_path):
    written = tmp_path / "reports"
    written.mkdir()
    (written / "old.html").write_text("")
    file = tmp_path / "sales.csv"
    lines = [f"o{n},c{n % 7},2026-0{1 + n % 9}-03,{5 + n % 4}.50" for n in range(60)]
    file.write_text("transaction_id,customer_id,occurred_at,net_amount\n" + "\n".join(lines) + "\n")

    result = CliRunner().invoke(app, ["try", str(file), "--out", str(written)])

    assert result.exit_code == 0, result.output
    endings = (".html", "-data.html", "-data.json", "-customers.csv", "-customers.xlsx")
    assert {path.name for path in written.iterdir()} == {"old.html", *(f"sales{end}" for end in endings)}
    assert open_to_others(written) == set()


def test_git_ignores_reports():
    assert f"{report.DEFAULT_FOLDER}/" in (PROJECT / ".gitignore").read_text().splitlines()
