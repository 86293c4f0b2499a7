"""Set up `.venv` with exactly what requirements-dev.txt says. `make setup` runs this; it needs Python alone.

With requirements as arguments it installs those into the `.venv` that is there: `make airflow` does so.

uv does the work (seconds instead of minutes) at the version that is locked. It does not read pip's
settings, so those of this machine (indexes, folders of wheels, certificates) are handed to it here.
"""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LOCK = PROJECT / "requirements-dev.txt"
VENV = PROJECT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

# pip's name for a setting, and uv's variable of the same meaning.
SETTINGS = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}
SEPARATORS = {"UV_FIND_LINKS": ","}  # the rest take a space, as pip does


def main() -> None:
    """Create the folder, install uv into it, and let uv do the rest."""
    require_python()
    if sys.argv[1:]:
        sys.exit(uv("install", *sys.argv[1:]))
    if not runs(PYTHON) or version_of(PYTHON) != sys.version_info[:2]:
        create()
    pin = next(line for line in LOCK.read_text().splitlines() if line.startswith("uv=="))
    if not uv_is(pin.partition(" ")[0].removeprefix("uv==")):
        install_uv(pin.partition(" ")[0])
    if uv("sync", "--compile-bytecode", LOCK):
        sys.exit("setup: the packages could not be installed; what failed is said above")


def uv(action: str, *arguments: "str | Path") -> int:
    """Run `uv pip` on the virtual environment, with this machine's pip settings; its exit status."""
    command = [PYTHON, "-m", "uv", "pip", action, "--python", PYTHON, *arguments]
    return subprocess.run(command, env={**uv_settings(pip_settings()), **os.environ}, check=False).returncode


def require_python() -> None:
    """Say what is wanted where this interpreter is too old."""
    if sys.version_info < (3, 11):  # noqa: UP036 - it is this file that an old Python runs
        sys.exit(
            "setup: Firmament needs Python 3.11 or newer, and `{}` is {}.{}. Install one, or name it: "
            "make PYTHON=/path/to/python3.12 setup".format(sys.executable, *sys.version_info[:2])
        )


def create() -> None:
    """A fresh virtual environment, with pip where this Python has it."""
    shutil.rmtree(VENV, ignore_errors=True)
    options = ["--without-pip"] if not can("ensurepip") else []
    subprocess.run([sys.executable, "-m", "venv", *options, VENV], check=True)


def install_uv(pin: str) -> None:
    """uv from the machine's own index: by the environment's pip, or by the system's."""
    pip = [PYTHON, "-m", "pip"] if can("pip", PYTHON) else [sys.executable, "-m", "pip", "--python", PYTHON]
    if pip[0] != PYTHON and not can("pip"):
        sys.exit(
            f"setup: {sys.executable} has neither ensurepip nor pip; install your system's package of "
            "them (Debian and Ubuntu: apt-get install python3-venv) and run it again"
        )
    command = [*pip, "install", "--quiet", "--disable-pip-version-check", pin]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"setup: pip could not install {pin}; what failed is said above")


def pip_settings() -> "dict[str, str]":
    """pip's settings on this machine, the strongest last: files, then the environment."""
    python = PYTHON if can("pip", PYTHON) else sys.executable
    done = subprocess.run(
        [python, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    )
    found = {"global": {}, "install": {}, ":env:": {}}
    for line in done.stdout.splitlines():
        name, _, value = line.partition("=")
        section, _, key = name.rpartition(".")
        if section in found:
            found[section][key] = str(ast.literal_eval(value))
    return {**found["global"], **found["install"], **found[":env:"]}


def uv_settings(pip: "dict[str, str]") -> "dict[str, str]":
    """The same as uv's variables."""
    environ = {}
    for name, variable in SETTINGS.items():
        words = pip.get(name, "").split()  # no walrus: a Python too old must get as far as the message
        if words:
            environ[variable] = SEPARATORS.get(variable, " ").join(words)
    if "UV_INDEX" in environ:  # pip takes the best match of all its indexes
        environ["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return environ


def uv_is(version: str) -> bool:
    """Whether that version of uv is there already."""
    command = [PYTHON, "-m", "uv", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.split()[1:2] == [version]


def can(module: str, python: "Path | str" = sys.executable) -> bool:
    """Whether that Python has the module."""
    return (
        subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0
    )


def runs(python: Path) -> bool:
    """Whether it is an interpreter that starts; a folder that was moved is not."""
    try:
        return subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def version_of(python: Path) -> "tuple[int, ...]":
    """Its version: an environment of another Python is replaced."""
    command = [python, "-c", "import sys; print(*sys.version_info[:2])"]
    return tuple(map(int, subprocess.run(command, capture_output=True, check=True).stdout.split()))


if __name__ == "__main__":
    main()
