"""The commands of docs/upgrade.md, executed in order on what commit 6ebb6e7 left behind."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from include import postgres
from include.firms import parse_firm
from include.registry import write_registry
from include.settings import PROJECT, Settings
from include.warehouse.migrations import pending
from tests.warehouse.old_warehouse import FIRMS, restore, unpack
from tools.facts_hash import compare, hash_warehouse

PAGE = (PROJECT / "docs" / "upgrade.md").read_text(encoding="utf-8")
GROUPS = ("firmament_platform", "firmament_analyst", "firmament_outreach")
SECTIONS = {
    title.partition(". ")[2]: "\n".join(re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S))
    for title, text in re.findall(r"^## (\d\. .+?)\n(.*?)(?=^## |\Z)", PAGE, re.M | re.S)
}


class Installation:
    """An installation of 6ebb6e7 with an embedded server of its own, and a shell to run commands in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.environ = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "AIRFLOW"))
        } | {
            "FIRMAMENT_HOME": str(self.home),
            "BACKUP": str(folder / "backup"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        self.settings = Settings.read(self.environ)

    def create(self) -> None:
        """Leave what the old version left, its server stopped."""
        self.home.mkdir()
        dsn = postgres.start(self.settings.postgres, options={"fsync": "off"}).dsn()
        with psycopg.connect(dsn) as connection:  # roles are the server's: no dump of a database has them
            for group in GROUPS:
                connection.execute(f"create role {group} nologin")
        restore(dsn)
        unpack(dsn, self.home)
        with psycopg.connect(dsn) as connection:  # its columns are those of then
            rows = connection.execute(
                "select to_jsonb(f) - '{removed_at,updated_at}'::text[] from control.firms as f"
            ).fetchall()
        write_registry(self.settings.registry, [parse_firm(row).shape for (row,) in rows])
        postgres.stop(self.settings.postgres)

    @property
    def dsn(self) -> str:
        return self.settings.warehouse_dsn()

    def run(self, *sections: str) -> str:
        """Execute sections of the page in one shell, which stops at the first command that fails."""
        script = "\n".join(
            ["set -eu -o pipefail", SECTIONS["Prepare"], *(SECTIONS[name] for name in sections)]
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=PROJECT,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def files(self) -> dict[str, bytes]:
        """Every file of the firms' handoffs; ``doctor`` leaves a lock of its own."""
        root = self.home / "handoffs"
        return {
            str(path.relative_to(root)): path.read_bytes()
            for key in FIRMS
            for path in (root / key).rglob("*")
            if path.is_file()
        }

    def migrations(self) -> list[tuple[str, ...]]:
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(
                "select file_name, sha256 from control.migrations order by file_name"
            ).fetchall()

    def damage(self) -> None:
        """Lose a firm's facts and its handoffs, as a version that went wrong would."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("truncate analytics.fact_customer_rfm")
        shutil.rmtree(self.home / "handoffs" / FIRMS[0])


@pytest.fixture
def old():
    # Not pytest's own folder: its parents are closed to `nobody`, who runs the server for root.
    folder = Path(tempfile.mkdtemp(prefix="firmament-upgrade-"))
    folder.chmod(0o755)
    installation = Installation(folder)
    try:
        installation.create()
        yield installation
    finally:
        postgres.stop(installation.settings.postgres, mode="immediate")
        shutil.rmtree(folder, ignore_errors=True)


def test_the_page_upgrades_an_installation_and_takes_it_back(old):
    old.run("Stop")
    facts, files, migrations = hash_warehouse(old.dsn), old.files(), old.migrations()

    old.run("Back up", "Migrate")
    told = old.run("Start and check")

    assert pending(old.dsn) == []
    assert compare(facts, hash_warehouse(old.dsn, like=facts)) == []
    assert old.files() == files
    assert len(old.migrations()) > len(migrations)
    assert "not well" not in told

    old.damage()
    assert compare(facts, hash_warehouse(old.dsn, like=facts)) != []
    old.run("Roll back")

    assert compare(facts, hash_warehouse(old.dsn, like=facts)) == []
    assert old.files() == files
    assert old.migrations() == migrations
    assert "018_firm_totals" in pending(old.dsn)


def test_the_backup_is_for_its_owner_alone(old):
    old.run("Stop", "Back up")

    backup = old.folder / "backup"
    assert backup.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in backup.iterdir()} == {0o600}
    assert {path.name for path in backup.iterdir()} == {"warehouse.dump", "handoffs.tar", "contents.txt"}


def test_every_section_of_the_page_but_the_first_has_a_command_that_is_executed():
    assert list(SECTIONS) == ["Prepare", "Stop", "Back up", "Migrate", "Start and check", "Roll back"]
    assert all(SECTIONS.values())
