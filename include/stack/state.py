"""The state of the embedded stack between commands: the services that were started."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from include.settings import Settings, write_private
from include.stack import services


class StackError(RuntimeError):
    """A part of the stack did not start; the message has its name and output."""


@dataclass(frozen=True)
class State:
    """The started services, as saved in the state file."""

    port: int
    fingerprint: str
    started_at: str
    records: list[dict[str, str | int]]

    @property
    def processes(self) -> list[services.Process]:
        """The processes that were started."""
        return [services.Process(str(s["name"]), int(s["pid"]), str(s["started"])) for s in self.records]

    @property
    def since(self) -> datetime:
        """When they were started."""
        return datetime.fromisoformat(self.started_at)

    @property
    def runs(self) -> bool:
        """Whether every service runs."""
        names = {process.name for process in self.processes if process.runs}
        return names == {service.name for service in services.SERVICES}

    @classmethod
    def read(cls, settings: Settings) -> State | None:
        """Read the state file; None if nothing was started."""
        path = settings.home / "stack.json"
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (TypeError, ValueError) as error:
            raise StackError(
                f"{path} was written by another version ({error}); end the processes in it, then delete it"
            ) from error

    def write(self, settings: Settings) -> None:
        """Write the state file, readable only by its owner."""
        write_private(settings.home / "stack.json", json.dumps(asdict(self)))


def number(settings: Settings, name: str) -> int | None:
    """A number from the environment, None if unset; StackError when it is not a number."""
    text = settings.environ.get(name, "")
    if text and not text.isdecimal():
        raise StackError(f"{name} must be a number, but is {text!r}")
    return int(text) if text else None
