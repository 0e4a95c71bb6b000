"""The tasks in flight as one poller run knows them, and when to ask for each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.catalogue.models import SYNC, Catalogue, Model
from shared.ledger.ledger import Ledger
from shared.ledger.record import PENDING, RUNNING, SUBMITTING, Record
from shared.ledger.slots import HeldSlot, Slot
from shared.platform.clock import from_iso
from shared.poller.line import STUCK, InFlight, Moment, is_in_line, place_in_line
from shared.poller.poll_intervals import (
    GAP,
    earliest,
    first_question,
    gap_between,
    is_known,
    next_question,
    second_question,
    while_waiting,
)
from shared.storage.layout import model_of_marker

UNKNOWN_FOR = 600.0
"""Seconds after its submission from which a task that is UNKNOWN keeps no room."""
LONGEST_UNKNOWN = 600.0
LONGEST_SILENCE = 30.0
"""The longest pauses between questions for a task that is UNKNOWN, and while none is answered."""
BEHIND = 90.0
"""Seconds between questions for a task behind others: it may have begun if those died."""
NARROW = 0.2
"""How wide the brackets around a task's start and end may be, as a share of its time, for the time
to be worth remembering."""
ABOUT = 2.0
"""The same in seconds, for short tasks."""
TOGETHER = 3
"""From so many tasks on, one listing is cheaper than a question for each."""
CROWD = 12
"""From so many tasks on, listing all of them all the time is cheaper still."""
ALONE = 30.0
"""Seconds for which listings are believed that show a task as running: they may be behind."""
FEW = 2
"""Up to so many tasks at once, a moment without a task is worth more questions."""
UNSURE = 1.3
"""A task whose start may be wrong by more than so many gaps is asked for early: what is found late
would make the next one late as well."""
EARLY, MANY = 0.25, 20
"""Share of the tasks that are asked for early: all while fewer durations are known."""


@dataclass
class InFlightTasks:
    """All tasks in flight of a run, by slot. `sending`: the queue marker of each job that is
    being sent; it takes room, and may have a slot already. `ahead`: slots that were claimed for
    jobs before there is room for them, by queue marker. `_held`: all other slots, None while they
    have not been counted. `_crowds`: when the tasks of a model that has many are listed next.
    `_freed`: when lanes became free, by the first model of their line. `_answered_at`: when the
    service last answered a question for a task (monotonic)."""

    catalogue: Catalogue
    ledger: Ledger
    sending: dict[str, str] = field(default_factory=dict)
    ahead: dict[str, Slot] = field(default_factory=dict)
    _known: dict[str, InFlight] = field(default_factory=dict)
    _held: set[Slot] | None = None
    _freed: dict[str, list[Moment]] = field(default_factory=dict)
    _crowds: dict[str, float] = field(default_factory=dict)
    _answered_at: float = -math.inf

    def __iter__(self) -> Iterator[InFlight]:
        return iter(list(self._known.values()))

    def __bool__(self) -> bool:
        return bool(self._known)

    def get(self, slot: Slot) -> InFlight | None:
        return self._known.get(slot.key)

    def track(self, held: HeldSlot, last: Record, sent_now: bool = False) -> InFlight:
        """Follow a slot whose attempt is under way; `sent_now`: this run has just sent it."""
        now, sent_at = self.ledger.clock.monotonic(), last.submitted_at
        since = from_iso(sent_at) if sent_at else held.since
        waited = max(0.0, self.ledger.clock.now() - since)
        inflight = InFlight(held.slot, last, now - waited, now - waited, now)
        if sent_now:
            inflight.started_within = 0.0  # unless it turns out to be behind others
        else:
            self._continue(inflight)
            if last.task_id:
                self.ledger.durations.accepted(held.slot.model, last.task_id, since)
        inflight.finished_remotely = last.answer is not None
        inflight.runs = last.state == RUNNING
        if last.state == PENDING:
            inflight.ask_at = max(now, inflight.started + self._first_question(inflight))
        self._known[held.slot.key] = inflight
        if self._held is not None:
            self._held.add(held.slot)
        return inflight

    def _continue(self, inflight: InFlight) -> None:
        """Take over what the run before knew: a task begins when one of those before it ends."""
        model = self.catalogue.get(inflight.slot.model)
        mates = self.catalogue.mates(inflight.slot.model)
        ends = sorted(end for name in mates for end in self.ledger.durations.ends(name))
        if model is None or len(ends) < model.limits.lanes:
            return
        ago = self.ledger.clock.now() - ends[-model.limits.lanes]
        inflight.started = max(inflight.started, self.ledger.clock.monotonic() - ago)
        inflight.started_within = GAP

    def drop(self, inflight: InFlight) -> None:
        """Forget a task that is over."""
        self._known.pop(inflight.slot.key, None)
        self.freed(inflight.slot)

    def freed(self, slot: Slot) -> None:
        """A slot takes no room any more."""
        if self._held is not None:
            self._held.discard(slot)

    def holds_none(self, job: str) -> None:
        """A job that was being sent has given its slot back, which a look may have shown."""
        if self._held is not None:
            known = {slot for slot in self._held if slot.key in self._known}
            self._held = {slot for slot in self._held if slot.job != job or slot in known}

    @property
    def counted(self) -> bool:
        """Whether all slots are known; without that nothing may be submitted."""
        return self._held is not None

    def count_again(self) -> None:
        """A slot may exist that this run does not know of."""
        self._held = None

    def finish_remotely(self, inflight: InFlight) -> float | None:
        """The service is done with a task: it ended halfway between the last two questions, and the
        task that waited behind it began then. Returns how many seconds it took, if that is known
        well enough to be remembered."""
        now = self.ledger.clock.monotonic()
        seen_open = inflight.started if inflight.open_at is None else inflight.open_at
        ran_until = inflight.started + earliest(self._durations(inflight))
        open_at = max(seen_open, ran_until) if ran_until < now else seen_open
        ended = Moment((open_at + now) / 2, now - open_at)
        inflight.finished_remotely = True
        self._freed.setdefault(self._line_of(inflight), []).append(ended)
        ended_at = self.ledger.clock.now() - (now - ended.at)
        self.ledger.durations.ended(inflight.slot.model, ended_at)
        if inflight.open_at is None:
            return now - inflight.started if inflight.early and now <= ran_until else None
        # Any moment between the two questions: the middle would hide how early the quickest end.
        took = seen_open + self.ledger.rng.random() * (now - seen_open) - inflight.started
        width = inflight.started_within + now - seen_open
        return took if inflight.early and width <= max(ABOUT, NARROW * took) else None

    def seen_open(self, inflight: InFlight, status: str) -> None:
        """The service says that a task runs, or waits: for tasks of others, or because ours were
        taken in another order than they were sent in. So those behind it are asked, once."""
        inflight.finished_remotely = False  # it may have been UNKNOWN for long
        if status == RUNNING:
            self._begun(inflight)
        elif not inflight.behind:
            now, line = self.ledger.clock.monotonic(), self._line_of(inflight)
            inflight.started = inflight.waited_at = now
            inflight.started_within = math.inf
            durations = self._durations(inflight)
            inflight.ask_at = now + while_waiting(now - inflight.claimed, durations)
            for one in self:
                if one.behind and one.asked_at < 0 and self._line_of(one) == line:
                    one.ask_at = now

    def _begun(self, inflight: InFlight) -> None:
        """A task runs. One that was seen waiting began after that."""
        now, waited_at = self.ledger.clock.monotonic(), inflight.waited_at
        if waited_at is not None and not inflight.runs:
            inflight.started, inflight.started_within = (waited_at + now) / 2, now - waited_at
            self.ask_later(inflight)
        inflight.runs = True

    def not_known(self, inflight: InFlight) -> None:
        """The service does not know the task just now: ask on, later each time. After a while the
        task is taken for one that keeps nothing busy, so that others need not wait for it."""
        now = self.ledger.clock.monotonic()
        inflight.ask_at = now + min(LONGEST_UNKNOWN, max(1.0, (now - inflight.claimed) / 8))
        inflight.finished_remotely |= now - inflight.claimed >= UNKNOWN_FOR

    def answered(self, inflight: InFlight) -> None:
        """The service has answered a question for a task."""
        inflight.failures, self._answered_at = 0, self.ledger.clock.monotonic()

    def not_answered(self, inflight: InFlight, *, may_be_own: bool) -> bool:
        """A question for a task got no usable answer: ask on, later each time. Returns whether that
        is this task's own trouble, which pauses nobody else: then it keeps no room after a while,
        as one that is UNKNOWN. `may_be_own`: the answer does not speak against it."""
        now = self.ledger.clock.monotonic()
        inflight.silent_since = inflight.silent_since if inflight.failures else now
        inflight.failures += 1
        others = any(self._is_ignored(one) for one in self if one is not inflight)
        own = not self._is_ignored(inflight) or (may_be_own and not others)
        own = own and inflight.last.state != SUBMITTING  # that one is looked for in a list
        since = inflight.claimed if own else inflight.silent_since
        longest = max(LONGEST_SILENCE, min(LONGEST_UNKNOWN, (now - since) / 8))
        wait = min(longest, 2.0 ** min(inflight.failures, 10))
        inflight.ask_at = now + wait * (0.5 + self.ledger.rng.random() / 2)
        if own and inflight.failures >= STUCK:
            inflight.finished_remotely |= now - inflight.claimed >= UNKNOWN_FOR
        return own

    def _is_ignored(self, one: InFlight) -> bool:
        """Whether no question for any task was answered since one for this task was not."""
        return one.failures > 0 and one.silent_since >= self._answered_at

    def keep_only(self, held: list[HeldSlot]) -> None:
        """Count the slots, and forget those that no longer exist."""
        present = self._held = {one.slot for one in held}.difference(self.ahead.values())
        self._known = {key: one for key, one in self._known.items() if one.slot in present}

    def is_about_to_be(self, slot: Slot) -> bool:
        """Whether this run has claimed a slot for a job that it is sending, or sends next."""
        return slot.job in self.sending or slot in self.ahead.values()

    def slots(self) -> set[Slot]:
        """The slots of the tasks that are followed."""
        return {inflight.slot for inflight in self}

    def jobs(self, model: str) -> set[str]:
        """The jobs of a model that hold a slot, or are about to."""
        return self._sending(model) | {one.slot.job for one in self if one.slot.model == model}

    def models(self) -> list[str]:
        """The model of each task that is in flight or about to be."""
        sending = map(model_of_marker, self.sending.values())
        return [*sending, *(inflight.slot.model for inflight in self)]

    def room(self, model: Model) -> int:
        """How many more tasks of a model may be in flight; none before the slots were counted.

        Finished tasks whose images are still to come do not count; a pool's models share its room.
        """
        if self._held is None:
            return 0
        flying = {name: self._flying(name) for name in self.catalogue.mates(model.name)}
        room = self.ledger.breakers.room(model, flying[model.name], sum(flying.values()))
        return min(room, self._calls_left()) if model.mode == SYNC else room

    def _calls_left(self) -> int:
        """How many more calls may be open. A model that left the catalogue may have been one."""
        called, known = self.catalogue.called(), self.catalogue.names()
        left = {slot.model for slot in self._held or ()}.difference(known)
        return self.ledger.most_calls - sum(map(self._flying, {*called, *left}))

    def _flying(self, model: str) -> int:
        """How many tasks of a model keep the service busy, or are about to."""
        held = [slot.job for slot in self._held or () if slot.model == model]
        over = sum(one.finished_remotely for one in self if one.slot.model == model)
        return len(held) + len(self._sending(model).difference(held)) - over

    def _line_of(self, inflight: InFlight) -> str:  # the first of the models that share it
        return self.catalogue.mates(inflight.slot.model)[0]

    def _sending(self, model: str) -> set[str]:
        return {job for job, one in self.sending.items() if model_of_marker(one) == model}

    def is_idle_between(self, model: Model) -> bool:
        """Whether nothing may wait at the service, so that it is idle from one task to the next."""
        return self.ledger.breakers.window(model) <= model.limits.lanes

    def waits_for_an_end(self, model: Model) -> bool:
        """Whether the next job goes out when a task ends, and the model is idle until then."""
        is_open = self.ledger.breakers.is_open(model.name)
        return self.is_idle_between(model) and self.room(model) <= 0 and not is_open

    def line_up(self) -> None:
        """Decide which tasks run and which wait behind; one that moves up starts its clock now."""
        for name in {self._line_of(inflight) for inflight in self}:
            every = (one for one in self if self._line_of(one) == name and is_in_line(one))
            line = sorted(every, key=place_in_line)
            model = self.catalogue.get(name)
            lanes = model.limits.lanes if model else len(line)
            for place, inflight in enumerate(line):
                self._place(inflight, behind=place >= lanes)
            self._freed.pop(name, None)  # nobody waited for what is left

    def ask_later(self, inflight: InFlight, crowded: bool = False) -> None:
        """Set the moment of the next question, before the one that is due is asked.

        `crowded`: another job waits for the slot.
        """
        now = self.ledger.clock.monotonic()
        name = inflight.slot.model
        durations = self._durations(inflight)
        eager = crowded and self._is_eager(name)
        waited = max(0.0, now - inflight.started)  # another instance's clock may be ahead
        if inflight.behind:
            wait = BEHIND
        elif waited < earliest(durations) and not eager:
            wait = second_question(waited, durations)
        else:
            wait = next_question(waited, durations, eager)
        inflight.ask_at = now + wait

    def to_ask_together(self) -> dict[str, list[InFlight]]:
        """The tasks that are worth a question now or soon, by model, where one listing costs less
        than asking for each and one of them is due."""
        open_tasks: dict[str, list[InFlight]] = {}
        for one in self:
            if one.last.state in (PENDING, RUNNING) and not (one.finished_remotely or one.behind):
                open_tasks.setdefault(one.slot.model, []).append(one)
        self._count_crowds(open_tasks)
        idle = {name: [one for one in ones if not one.working] for name, ones in open_tasks.items()}
        found = ((name, self._worth_a_listing(name, ones)) for name, ones in idle.items())
        return {name: together for name, together in found if together}

    def _count_crowds(self, open_tasks: Mapping[str, list[InFlight]]) -> None:
        now = self.ledger.clock.monotonic()
        for name, ones in open_tasks.items():
            if len(ones) >= CROWD:
                self._crowds.setdefault(name, now)
            elif self._crowds.pop(name, None) is not None:
                for inflight in ones:
                    self.ask_later(inflight)
        self._crowds = {name: at for name, at in self._crowds.items() if name in open_tasks}

    def _worth_a_listing(self, name: str, idle: list[InFlight]) -> list[InFlight]:
        now = self.ledger.clock.monotonic()
        if name in self._crowds:
            if self._crowds[name] > now:
                return []
            self._crowds[name] = now + gap_between(self.ledger.durations.known(name))
            return idle
        soon = [one for one in idle if one.ask_at <= now + GAP]
        is_due = any(one.is_due(now) for one in soon)
        return soon if is_due and len(soon) >= TOGETHER else []

    def seen_running(self, inflight: InFlight) -> None:
        """A listing shows the task as running: ask later. A listing may be behind, so that a task
        is asked for by itself now and then."""
        now = self.ledger.clock.monotonic()
        if now - max(inflight.asked_at, inflight.started) >= ALONE:
            inflight.ask_at = min(inflight.ask_at, now)
            return
        self._begun(inflight)
        inflight.listed, inflight.open_at = True, now
        if inflight.slot.model in self._crowds:
            inflight.early, inflight.ask_at = True, now + ALONE
        else:
            self.ask_later(inflight)

    def not_seen(self, inflight: InFlight) -> None:
        """A listing of what runs does not show the task: it is over, if it was shown before or is
        due soon."""
        if inflight.listed or inflight.slot.model not in self._crowds:
            inflight.ask_at = min(inflight.ask_at, self.ledger.clock.monotonic())

    def is_expected(self, inflight: InFlight) -> bool:
        """True if the task will finish so soon that a RUNNING record would be wasted."""
        waited = self.ledger.clock.monotonic() - inflight.started
        return is_known(waited, self._durations(inflight))

    def next_question(self) -> float | None:
        """Seconds until the first question is due; None without tasks, or while something is done
        for each of them."""
        due = [inflight.ask_at for inflight in self if not inflight.working]
        if due:
            due += self._crowds.values()
        return min(due) - self.ledger.clock.monotonic() if due else None

    def _place(self, inflight: InFlight, *, behind: bool) -> None:
        now, ask_at = self.ledger.clock.monotonic(), inflight.ask_at
        if inflight.behind and not behind:
            freed = self._freed.get(self._line_of(inflight), [])
            moment = freed.pop(0) if freed else Moment(now, math.inf)
            inflight.started = max(inflight.claimed, moment.at)
            inflight.started_within = moment.within
            ask_at = inflight.started + self._first_question(inflight)
        elif behind and not inflight.behind:
            ask_at, inflight.started_within = now + BEHIND, math.inf
        inflight.behind = behind
        if inflight.last.state != SUBMITTING:  # that one is looked up, wherever it stands
            inflight.ask_at = ask_at

    def _first_question(self, inflight: InFlight) -> float:
        """When to ask first: early for some, and where the model would be idle meanwhile."""
        durations, chosen = self._durations(inflight), self.ledger.rng.random() < EARLY
        eager = self._is_eager(inflight.slot.model)
        unsure = inflight.started_within > UNSURE * gap_between(durations)
        inflight.early = eager or unsure or chosen or len(durations) < MANY
        return first_question(durations, inflight.early)

    def _is_eager(self, name: str) -> bool:
        """Whether an idle moment is a large part of what the model can do."""
        model = self.catalogue.get(name)
        return model is not None and model.limits.lanes <= FEW and self.is_idle_between(model)

    def _durations(self, inflight: InFlight) -> Sequence[float]:
        return self.ledger.durations.of(inflight.slot.model)
