"""The example CI workflow: it can be parsed, and every command in it is a make target of this project."""

import re

import yaml

from include.settings import PROJECT

WORKFLOW = yaml.safe_load((PROJECT / "examples" / "ci" / "github-actions.yaml").read_text(encoding="utf-8"))
MAKEFILE = (PROJECT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", MAKEFILE, re.M))


def commands() -> list[str]:
    return [
        line.strip()
        for job in WORKFLOW["jobs"].values()
        for step in job["steps"]
        for line in step.get("run", "").splitlines()
    ]


def test_every_command_is_a_make_target_with_variables_that_the_makefile_reads():
    for command in commands():
        words = re.fullmatch(r"make ([a-z-]+)((?: [A-Z]+=\S+| [A-Z]+=\$\{\{ [\w.]+ \}\})*)", command)
        assert words, command
        assert words[1] in TARGETS
        for variable in re.findall(r"([A-Z]+)=", words[2]):
            assert f"$({variable})" in MAKEFILE
    assert {"make lint", "make test", "make setup"} <= set(commands())


def test_the_matrix_has_the_supported_pythons_and_the_oldest_and_the_locked_airflow():
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]
    (locked,) = re.findall(r"^apache-airflow==(\S+)", (PROJECT / "requirements.in").read_text(), re.M)

    assert matrix["python"] == ["3.11", "3.12", "3.13"]
    assert matrix["airflow"] == ["3.2.2", locked]


def test_every_variable_of_the_workflow_is_of_its_matrix():
    text = str(WORKFLOW["jobs"])
    matrix = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]

    assert set(re.findall(r"\$\{\{ matrix\.(\w+) \}\}", text)) == set(matrix)


def test_the_workflow_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())
    assert True in WORKFLOW  # YAML reads the key `on` as true; GitHub does not
