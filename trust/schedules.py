"""A seeded search over schedules of the real handoff code.

In one schedule two or three writers, a collector and a reader share a partition and take turns in an order
given by the seed, with crashes, restarts, lost and late replies, long pauses, power failures and damaged
files. ``run(seed)`` raises Violation when an invariant breaks; ``run(seed, trace=[])`` records the steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from include.handoff import protocol, store_calls
from include.handoff.manifest import Corrupt, HandoffError, Manifest, Part, draft
from include.handoff.protocol import Fenced, UnknownOutcome
from include.handoff.store_calls import Call, Conflict, Get, Put, Steps, StoreError, Unknown, WritePart
from trust.world import OLDER_THAN, SLOT, Violation, World

MOST_STEPS = 120
HOURS = (1, 1, 2, 5, 20, 30, 60, 200)
DAY = date(2026, 11, 21)

# A planted bug can change an actor's calls to the store, or answer them itself.
Tamper = Callable[["Actor", Call, World], Call]


@dataclass
class Text:
    """A part of a few bytes."""

    name: str
    data: bytes

    def write_to(self, writer: Any) -> int:
        """One row."""
        writer.write(self.data)
        return 1


@dataclass
class Actor:
    """One process: a running protocol generator and what it is waiting for."""

    kind: str
    name: str
    steps: Steps
    began: datetime
    first_step: int
    token: int = 0
    texts: list[Text] = field(default_factory=list)
    calls: int = 0
    reads: int = 0
    answer: Any = None
    failure: Exception | None = None
    call: Call | None = None
    was_refused: bool = False


class Search:
    """One schedule."""

    def __init__(self, seed: int, *, tamper: Tamper | None = None, trace: list[str] | None = None) -> None:
        """Prepare the schedule of ``seed``."""
        self.random = Random(seed)
        self.world = World()
        self.tamper = tamper
        self.trace = trace
        self.tokens = 0
        self.attempts = 0
        self.actors: list[Actor] = []

    def run(self) -> None:
        """Run the schedule to its end, then check that a rerun succeeds."""
        chance = self.random
        for _ in range(chance.choice((0, 0, 1, 2))):
            self._alone(self._writer())
            self._sleep()
        self.actors = [self._writer(), self._writer()]
        self.actors += [self._collector() for _ in range(chance.choice((1, 1, 2)))]
        self.actors += [self._reader() for _ in range(chance.choice((1, 1, 2)))]
        # Some schedules change the actor at every step, others rarely; one actor may be slow.
        persistence = chance.choice((0, 0.5, 0.8, 0.95))
        slow = chance.choice((None, *self.actors, self.actors[-1]))
        actor: Actor | None = None
        while self.actors and self.world.step < MOST_STEPS:
            self.world.step += 1
            self._happen()
            if self.actors:
                if actor is None or actor not in self.actors or chance.random() >= persistence:
                    actor = chance.choice(self.actors)
                    if actor is slow and chance.random() < 0.8:
                        continue
                self._advance(actor)
        while self.world.in_flight:
            self.world.arrive(0)
        self.tamper = None
        self._alone(self._writer())
        self._alone(self._reader())

    def _happen(self) -> None:
        """Inject a fault between two steps."""
        chance = self.random.random()
        if chance < 0.08:
            self._sleep()
        elif chance < 0.085:
            self._note("power cut")
            self.world.lose_power()
            for actor in self.actors[:]:
                self._crash(actor)
        elif chance < 0.09:
            parts = [path for path in self.world.files if "/attempt=" in path]
            if parts:
                path = self.random.choice(parts)
                self._note(f"damage {path}")
                self.world.damage(path)
        elif chance < 0.14 and self.world.in_flight:
            number = self.random.randrange(len(self.world.in_flight))
            self._note("a late write arrives")
            self.world.arrive(number)

    def _advance(self, actor: Actor, *, is_safe: bool = False) -> bool:
        """Pass an actor its answer and perform its next call; False when it has ended."""
        try:
            failure, actor.failure = actor.failure, None
            call = actor.steps.throw(failure) if failure else actor.steps.send(actor.answer)
        except StopIteration as done:
            self._note(f"{actor.name} ends")
            self._ended(actor, done.value, None)
            return False
        except (HandoffError, AssertionError) as error:
            if isinstance(error, Violation):
                raise
            self._note(f"{actor.name} fails: {type(error).__name__}: {error}")
            self._ended(actor, None, error)
            return False
        actor.calls += 1
        if actor.kind == "reader" and isinstance(call, Get):
            actor.reads += 1
        actor.answer = None
        self._note(f"{actor.name} {type(call).__name__} {call[0]}")
        try:
            if self.tamper:
                call = self.tamper(actor, call, self.world)
            actor.answer = self.world.perform(call) if is_safe else self._perform(actor, call)
        except Crash:
            self._crash(actor)
            return False
        except (store_calls.Conflict, store_calls.Unknown, store_calls.Gone, StoreError) as error:
            self._note(f"  -> {type(error).__name__}")
            actor.failure = error
        return True

    def _perform(self, actor: Actor, call: Call) -> Any:
        """Perform a call with faults of processes and networks."""
        chance = self.random.random()
        if chance < 0.02:
            raise Crash
        if chance < 0.04:
            self._unheard(call)
            raise Crash
        if isinstance(call, Put):
            if chance < 0.09:
                self._note("  reply lost")
                self.world.perform(call)
                raise Unknown(call.path)
            if chance < 0.13:
                self._note("  reply lost, sent again by the client")
                self.world.perform(call)
                raise Conflict(call.path)
            if chance < 0.16:
                raise Unknown(call.path)  # never arrived
            if chance < 0.20:
                self._note("  in flight")
                self.world.in_flight.append(call)
                raise Unknown(call.path)
        elif chance < 0.05:
            actor.was_refused = True
            raise StoreError(f"{call[0]}: unreachable (a fault of the schedule)")
        elif chance < 0.06 and isinstance(call, WritePart):
            actor.was_refused = True
            self.world.perform(call)
            raise StoreError(f"{call[0]}: unreachable (a fault of the schedule)")
        return self.world.perform(call)

    def _unheard(self, call: Call) -> None:
        try:
            self.world.perform(call)
        except (store_calls.Conflict, store_calls.Gone):
            return

    def _alone(self, actor: Actor) -> None:
        """Run one actor to its end without faults; it must succeed."""
        actor.name += " (alone)"
        self.actors.append(actor)
        while self._advance(actor, is_safe=True):
            pass

    def _sleep(self) -> None:
        hours = self.random.choice(HOURS)
        self._note(f"{hours} h pass")
        self.world.now += timedelta(hours=hours)

    def _crash(self, actor: Actor) -> None:
        """Kill the process; sometimes a supervisor restarts it, rarely with the same token."""
        self._note(f"{actor.name} crashes")
        self.actors.remove(actor)
        if self.random.random() < 0.5:
            if actor.kind == "writer":
                again = self.random.random() < 0.25
                self.actors.append(self._writer(actor) if again else self._writer())
            elif actor.kind == "collector":
                self.actors.append(self._collector())

    def _writer(self, again: Actor | None = None) -> Actor:
        self.tokens += again is None
        self.attempts += 1
        token = again.token if again else self.tokens
        attempt = protocol.attempt_name(token, f"{self.attempts}")
        if again:
            texts = again.texts
        else:
            # A replay writes the same bytes under another token, so this is common here too.
            word = self.random.choice((b"same", b"other %d" % token))
            count = self.random.choice((1, 1, 2))
            texts = [Text(f"part-{number}", b"%s %d" % (word, number)) for number in range(count)]

        def manifest(parts: Sequence[Part]) -> Manifest:
            return draft(
                SLOT,
                token=token,
                as_of=DAY,
                attempt=attempt,
                parts=parts,
                fingerprint="f",
                made_from=(),
                code_version="c",
            )

        steps = protocol.write(SLOT, attempt, texts, manifest)
        name = f"writer {token}.{self.attempts}"
        began = again.began if again else self.world.now  # a token's age counts, not a process's
        return Actor("writer", name, steps, began, self.world.step, token=token, texts=texts)

    def _collector(self) -> Actor:
        now = self.world.now
        steps = protocol.collect(SLOT, older_than=OLDER_THAN, now=now)
        return Actor("collector", "collector", steps, now, self.world.step)

    def _reader(self) -> Actor:
        return Actor("reader", "reader", protocol.read(SLOT), self.world.now, self.world.step)

    def _ended(self, actor: Actor, result: Any, error: Exception | None) -> None:
        self.actors.remove(actor)
        if actor.name.endswith("(alone)") and error and not isinstance(error, Corrupt):
            raise Violation(f"{actor.name} could not: {error}")
        if actor.kind == "writer":
            self._judge_writer(actor, result, error)
        elif actor.kind == "reader":
            self._judge_reader(actor, result, error)
        elif error and not actor.was_refused:
            raise Violation(f"{actor.name} failed: {error}")

    def _judge_writer(self, actor: Actor, result: Manifest | None, error: Exception | None) -> None:
        """Check that a writer's result is true."""
        world, token = self.world, actor.token
        was_committed = any(manifest.token == token for _, manifest in world.commits)
        if error is None:
            if not was_committed or result is None or result.token != token:
                raise Violation(f"{actor.name} reported a commit that did not happen")
        elif isinstance(error, Fenced):
            is_late = world.highest_token() > token
            if not is_late and was_committed:
                raise Violation(f"{actor.name} was fenced, but its data is current")
            if not is_late and world.now - actor.began <= OLDER_THAN:
                raise Violation(f"{actor.name} was fenced without a newer writer or an age limit")
        elif not isinstance(error, UnknownOutcome) and not actor.was_refused:
            raise Violation(f"{actor.name} failed for no reason: {error}")

    def _judge_reader(self, actor: Actor, result: Any, error: Exception | None) -> None:
        """Check that a reader got unchanged bytes of a version that was current during the read."""
        world = self.world
        if isinstance(error, Corrupt):
            if not world.damaged:
                raise Violation(f"{actor.name} reported damage in an intact file: {error}")
            return
        if error is not None:
            if not actor.was_refused and world.now - actor.began <= OLDER_THAN:
                raise Violation(f"{actor.name} could not read a version that existed all the time: {error}")
            return
        manifest, fetched = result
        steps = [step for step, _ in world.commits]
        if manifest is None:
            if steps and steps[0] < actor.first_step:
                raise Violation(f"{actor.name} found no version, but there was one")
            return
        texts = [world.truth[f"{SLOT}/{part.name}"] for part in manifest.parts]
        if [part.file for part in fetched] != texts:
            raise Violation(f"{actor.name} read other bytes than token {manifest.token} wrote")
        ends = [*steps[1:], world.step + 1]
        for end, (_, committed) in zip(ends, world.commits, strict=True):
            if committed.token == manifest.token and end < actor.first_step:
                raise Violation(f"{actor.name} read token {manifest.token}, which was already replaced")

    def _note(self, line: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.world.step:4d} {self.world.now:%d %H}h {line}")


class Crash(Exception):  # noqa: N818 - an event of the schedule
    """The process is killed."""


def run(seed: int, *, tamper: Tamper | None = None, trace: list[str] | None = None) -> None:
    """Run one schedule; Violation when an invariant breaks."""
    Search(seed, tamper=tamper, trace=trace).run()
