"""What is known of the embedded stack between commands: which services run, and what went wrong."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from include.settings import Settings, write_private
from include.stack import services


class StackError(RuntimeError):
    """A part of the stack did not start: which one, and what it said."""


@dataclass(frozen=True)
class State:
    """What is written down of the services that were started."""

    port: int
    fingerprint: str
    started_at: str
    records: list[dict[str, str | int]]

    @property
    def processes(self) -> list[services.Process]:
        """The services, as they were started."""
        return [services.Process(str(s["name"]), int(s["pid"]), str(s["started"])) for s in self.records]

    @property
    def since(self) -> datetime:
        """When they were started."""
        return datetime.fromisoformat(self.started_at)

    @property
    def runs(self) -> bool:
        """Whether every service does."""
        names = {process.name for process in self.processes if process.runs}
        return names == {service.name for service in services.SERVICES}

    @classmethod
    def read(cls, settings: Settings) -> State | None:
        """What was written down; None where nothing was started."""
        path = settings.home / "stack.json"
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise StackError(
                f"{path} is not what this version writes ({error}); end the pids it names, then delete it"
            ) from error

    def write(self, settings: Settings) -> None:
        """Write it down, for its owner alone."""
        write_private(settings.home / "stack.json", json.dumps(asdict(self)))


def number(settings: Settings, name: str) -> int | None:
    """A number that somebody set in the environment; StackError when it is none."""
    text = settings.environ.get(name, "")
    if text and not text.isdecimal():
        raise StackError(f"{name} must be a number, and is {text!r}")
    return int(text) if text else None
