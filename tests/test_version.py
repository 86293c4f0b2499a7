"""One version number: in the command line, manifests, runs and pages, and none of it changes older data."""

import json
import re
import tarfile
from datetime import date

from typer.testing import CliRunner

from include.cli import app
from include.handoff.manifest import Part, decode, draft, encode
from include.settings import PROJECT
from include.version import __version__, code_version, version_of
from tests.warehouse.old_warehouse import FOLDER

SEMVER = r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?"  # semver.org, without build metadata: that is the code's hash
CODE = re.escape(__version__) + r"\+[0-9a-f]{12}"


def old_manifests() -> dict[str, bytes]:
    """The manifests that commit 6ebb6e7 wrote."""
    with tarfile.open(FOLDER / "home.tar.xz") as tar:
        return {
            entry.name: tar.extractfile(entry).read()
            for entry in tar
            if entry.name.endswith("_manifest.json")
        }


def test_the_version_is_semantic_and_is_written_in_one_module():
    holders = [
        str(path.relative_to(PROJECT))
        for folder in ("include", "dags", "plugins", "tools")
        for path in (PROJECT / folder).rglob("*.py")
        if f'"{__version__}"' in path.read_text()
    ]

    assert re.fullmatch(SEMVER, __version__)
    assert holders == ["include/version.py"]


def test_the_command_line_prints_the_version_and_the_codes_hash():
    result = CliRunner().invoke(app, ["--version"])

    assert result.exit_code == 0
    assert result.output == f"Firmament {code_version()}\n"
    assert re.fullmatch(CODE, code_version())


def test_a_manifest_names_the_version_that_wrote_it():
    part = Part("part-00000.parquet", rows=1, bytes=2, sha256="ab")

    manifest = draft(
        "acme/rfm/as_of=2026-11-21", token=1, as_of=date(2026, 11, 21), attempt="attempt=1-x", parts=[part],
        fingerprint="f", made_from=(), code_version=code_version(),
    )  # fmt: skip

    assert decode(encode(manifest), manifest.path).version == __version__


def test_manifests_of_earlier_versions_are_readable_and_their_checksums_hold():
    texts = old_manifests()

    for path, text in texts.items():
        manifest = decode(text, path)
        assert manifest.version is None
        assert encode(manifest) == text
    assert len(texts) > 100


def test_an_earlier_version_can_read_a_manifest_of_this_one():
    (old, *_) = (json.loads(text) for text in old_manifests().values())
    manifest = draft(
        "acme/rfm/as_of=2026-11-21", token=1, as_of=date(2026, 11, 21), attempt="attempt=1-x", parts=[],
        fingerprint="f", made_from=("settings#0#a",), code_version=code_version(),
    )  # fmt: skip

    new = json.loads(encode(manifest))

    # 6ebb6e7 refuses a manifest with a field that it does not know, so rolling back would lose all handoffs.
    assert list(new) == list(old)


def test_a_bare_hash_has_no_version():
    assert version_of("4f2a91c07b3e") is None
    assert version_of("1.2.3-rc.1+4f2a91c07b3e") == "1.2.3-rc.1"


def test_the_changelog_has_a_section_for_the_version():
    text = (PROJECT / "CHANGELOG.md").read_text()
    sections = re.findall(r"^## \[(.+?)\](?: - (\S+))?$", text, re.M)

    names = [name for name, _ in sections]

    assert names[0] == "Unreleased"
    assert __version__ in names
    assert all(re.fullmatch(r"\d{4}-\d{2}-\d{2}", day) for name, day in sections if name != "Unreleased")
    kinds = set(re.findall(r"^### (.+)$", text, re.M))
    assert kinds <= {
        "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security", "Upgrade notes",
    }  # fmt: skip
