"""The files of the pages: built from their sources, complete in both languages, and served to be cached."""

from __future__ import annotations

import json
import re
import shutil

import httpx
import pytest

from include.console.app import create_app
from include.console.export_routes import LISTS
from include.console.files import FOLDER, address_of
from include.console.pages_of_airflow import DAG, HOME, NAV, react_apps
from include.console.reader import Reader
from tests.console.conftest import HeaderPermissions, served
from tools.build_console import BUNDLE, NAMES, SOURCES, BuildError, build, names


def words(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((SOURCES / "words" / f"{language}.json").read_text())
    return found


@pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="node and npm are not here")
def test_the_committed_bundle_is_what_the_sources_build(tmp_path):
    try:
        text = build(tmp_path)
    except BuildError as error:
        if "npm failed" in str(error):
            pytest.skip(f"esbuild could not be installed: {error}")
        raise

    assert BUNDLE.read_text() == text, "run: python -m tools.build_console"


def test_the_names_of_segments_actions_and_factors_are_the_models():
    assert json.loads(NAMES.read_text()) == names(), "run: python -m tools.build_console"


def test_both_languages_have_the_same_texts_with_the_same_slots():
    english, turkish = words("en"), words("tr")

    def slots(texts: dict[str, str]) -> dict[str, list[str]]:
        return {key: sorted(re.findall(r"\{(\w+)\}", text)) for key, text in texts.items()}

    assert slots(english) == slots(turkish)
    assert not [key for key, text in {**english, **turkish}.items() if not text.strip()]


def test_every_text_that_the_pages_ask_for_exists():
    asked = {
        key
        for path in SOURCES.glob("*.tsx")
        for key in re.findall(r"""\bt\(["']([\w.-]+)["']""", path.read_text())
    }

    assert len(asked) > 100
    assert asked - set(words("en")) - set(names()["en"]) == set()


def test_the_pages_write_no_html_and_load_nothing_of_another_host():
    sources = "\n".join(path.read_text() for path in SOURCES.glob("*.ts*"))

    assert not re.search(r"dangerouslySetInnerHTML|innerHTML|document\.write|\beval\(|new Function", sources)
    assert not re.search(r"https?://", sources)
    assert "http" not in re.sub(r"//.*|www\.w3\.org", "", (SOURCES / "style.css").read_text())


def test_airflow_finds_a_component_of_each_registered_name_in_the_bundle():
    apps = react_apps()
    text = BUNDLE.read_text()

    assert {app["name"]: app["destination"] for app in apps} == {NAV: "nav", DAG: "dag", HOME: "dashboard"}
    assert all(re.search(rf'{{?,?"?{name}"?:\w+', text) for name in (NAV, DAG, HOME))
    assert not [app for app in apps if app["bundle_url"].startswith(("/", "http"))]


def test_a_file_with_its_hash_is_cached_for_ever_and_no_other():
    reader = Reader(lambda: "", connections=1)
    with served(create_app(HeaderPermissions(), reader)) as url:
        hashed = httpx.get(f"{url}/{address_of('console.js').removeprefix('firmament/')}")
        plain = httpx.get(f"{url}/static/console.js")
        known = httpx.get(f"{url}/static/console.js", headers={"If-None-Match": plain.headers["etag"]})
        missing = [httpx.get(f"{url}/static/{name}").status_code for name in ("..%2Fapp.py", "none.js")]
    reader.close()

    assert hashed.text == (FOLDER / "console.js").read_text()
    assert hashed.headers["content-type"].startswith("text/javascript")
    assert "immutable" in hashed.headers["cache-control"]
    assert (plain.headers["cache-control"], known.status_code) == ("no-cache", 304)
    assert missing == [404, 404]


def test_the_pages_link_to_the_files_of_every_list_that_has_one():
    """The pages find a list's files by the end of its path, so both must have the same names."""
    (listed,) = re.findall(r"const LISTS = (\[.*?\]);", (SOURCES / "exports.tsx").read_text())
    added = {
        name
        for path in SOURCES.glob("*.tsx")
        for name in re.findall(r"exports=\{\[\[\"([a-z-]+)\"", path.read_text())
    }

    assert {*json.loads(listed), *added} == set(LISTS)
