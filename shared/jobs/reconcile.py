"""Attempts whose outcome is not known.

The task list is the only documented way to find a task whose create answer was lost; it shows
model, time and id, but nothing that the caller sent (task management page). So: tasks of that
model and time, minus the tasks that jobs of ours have, and minus those that show another prompt.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.catalogue.rules import Rules
from shared.jobs.billing import at_most, billed_before, images_left, is_affordable
from shared.jobs.manifest import Outcome
from shared.jobs.submit import Submission
from shared.jobs.task_list import TaskList
from shared.jobs.task_matching import Evidence, Sent
from shared.jobs.transitions import UNSURE, Transitions
from shared.ledger.ledger import Ledger
from shared.ledger.record import NEEDS_ATTENTION, SUBMITTING, Record
from shared.ledger.slots import Slot, newer_attempt
from shared.modelstudio.answers import RETENTION
from shared.modelstudio.client import ListedTask, ListTooLong
from shared.modelstudio.result_urls import prompts_of
from shared.platform.clock import from_iso
from shared.platform.logs import about

SKEW = 5.0
"""Seconds by which clocks of instances, store and service may differ."""
BLIND = 5
"""Times the grace after which a list is believed that shows no later task of ours: no document
says how far the list may be behind."""
SILENCE = 1.5
"""A submitter that is silent for this many create timeouts is taken for dead."""
BEFORE, MOST_BEFORE = 600.0, 20
"""Seconds before an attempt in which a task of nobody we know says that another program uses the
account, and how many tasks are looked at."""
FAR_BEFORE = 6 * 3600.0
"""How far back a task of ours is looked for that the list must show."""
MOST_PROMPTS = 10
"""How many tasks are asked for their prompts, to find the attempt's own."""
LONG_PROMPT = 75
"""Characters; the shortest documented prompt limit (inpainting API reference)."""
FREE = ("FAILED", "CANCELED")
"""States of a task that costs nothing. Its answer shows no prompt, so it proves nothing."""

log = logging.getLogger(__name__)


@dataclass
class Reconciliation:
    """Finds out what became of an attempt. `grace` in seconds; `ask`: leave it to a person."""

    ledger: Ledger
    rules: Rules
    tasks: TaskList
    submission: Submission
    transitions: Transitions
    grace: float
    ask: bool = False
    _empty_since: dict[tuple[str, int], float] = field(default_factory=dict)
    _owners: dict[str, tuple[str, int]] = field(default_factory=dict)
    _shown: dict[str, dict[str, float]] = field(default_factory=dict)
    _earlier: dict[tuple[str, int], dict[str, float]] = field(default_factory=dict)

    def resolve(self, last: Record) -> Record | None:
        """Adopt the attempt's task, queue the job again, or put it before a person.

        Only for the holder of the lease. Returns the job's last record now, the same one while it
        is too early to say, None if another instance moved the job. Raises ServiceError,
        StoreError.
        """
        if self.submission.is_unsent(last):
            return self.submission.withdraw(last)
        if last.call:  # it has no task, and the list would show those of others
            return self.submission.calls.resolve(last)
        now, sent = self.ledger.clock.now(), self._sent(last)
        # Past a day the list shows its task no more, and asking for so long a span is refused
        # (task management page).
        if now - sent.at >= RETENTION:
            return self._ask_a_person(last, [])
        if self._is_under_way(last):
            return last
        try:
            evidence, others = self._evidence(last, sent)
        except ListTooLong:
            return self._ask_a_person(last, [])
        evidence, undecided = self._compare_prompts(last, evidence, others)
        task = None if self.ask or undecided else evidence.verdict()
        if task is not None:
            return self._adopt(last, task)
        age = now - from_iso(last.at)
        if undecided or age < self.grace * (BLIND if self._is_blind(evidence) else 1):
            return last
        if evidence.possible() or self.ask:
            return self._ask_a_person(last, evidence.possible())
        if evidence.incomplete or not self._is_seen_again(last, evidence):
            return last
        return self._send_again(last, age)

    def _send_again(self, last: Record, age: float) -> Record | None:
        if not self._may_be_sent_again(last):
            return self._ask_a_person(last, [])
        why = self.rules.errors.ours("NoTaskMade", seconds=int(age))
        return self.transitions.requeue(last, why, in_doubt=True, last_in_line=True)

    def _may_be_sent_again(self, last: Record) -> bool:
        """Whether another attempt is right although tasks may have been made that no list shows. A
        list is believed once without a look at the price."""
        model, spec = self.rules.model(last.model), self.ledger.records.with_spec(last).spec
        if last.attempt >= self.rules.policy.attempts["after_backoff"]:
            return False
        if last.attempt <= 1 or model is None:
            return True
        once = at_most(self.rules, model, spec, images_left(model, last, spec))
        billed = billed_before(self.rules, last).plus(once.times(last.attempt + 1))
        return is_affordable(self.rules, model, billed)

    def _is_seen_again(self, last: Record, evidence: Evidence) -> bool:
        """Whether a list without anything we know has shown the same for as long as the grace: one
        empty answer can be a mistake of the moment."""
        now, key = self.ledger.clock.now(), (last.job, last.seq)
        since = self._empty_since.setdefault(key, now)
        return not self._is_blind(evidence) or now - since >= self.grace

    def _is_blind(self, evidence: Evidence) -> bool:
        """Whether the list shows nothing that is known to be there."""
        return not evidence.witnessed and not evidence.possible()

    def _is_under_way(self, last: Record) -> bool:
        """Whether its sender may still be waiting for the answer.

        An older epoch's holder has stopped; an attempt of this epoch, or of none (written before
        there were epochs), is given the time of a request.
        """
        epoch = self.ledger.lease.epoch
        if last.epoch is not None and epoch is not None and last.epoch != epoch:
            return last.epoch > epoch
        age = self.ledger.clock.now() - from_iso(last.at)
        return last.unknown is None and age < self.tasks.model_studio.create_timeout * SILENCE

    def _sent(self, last: Record) -> Sent:
        """When an attempt was sent: when the last record before its POST was written."""
        intent = last
        if last.unknown is not None:
            intent = self.ledger.records.get(last.job, last.seq - 1) or last
        own = from_iso(intent.at)
        at = self.ledger.records.written_at(intent)
        return Sent(own if at is None else at, intent.epoch or 0, own)

    def _adopt(self, last: Record, task: ListedTask) -> Record | None:
        """Take the task, unless another attempt was faster: then look again."""
        if last.slot is None or not self.ledger.tasks.claim(task.task_id, last.slot):
            return last
        log.warning(
            "job %s: task %s is adopted as its own",
            last.job,
            task.task_id,
            extra=about("job.adopted", last, task=task.task_id),
        )
        submitted = last.submitted_at or last.at
        return self.submission.accepted(last, task.task_id, task.request_id, submitted)

    def _evidence(self, last: Record, sent: Sent) -> tuple[Evidence, list[Record]]:
        """The tasks since the attempt was sent that no job of ours is known to have made; and the
        other attempts in doubt."""
        # First the tasks, then the records: a task made in between must not look unclaimed.
        now, start = self.ledger.clock.now(), sent.at - SKEW
        begin, made = sent.at - BEFORE, self._made(last)
        begin = max(sent.at - FAR_BEFORE, min([begin, *(at - SKEW for at in made.values())]))
        every = self.tasks.between(self.rules.service_id(last.model), begin, now + SKEW)
        shown = {task.task_id: task.created for task in every}
        made |= self._shown.get(last.model, {})
        recent = {one: at for one, at in made.items() if now - at < RETENTION}
        self._shown[last.model] = recent | shown
        listed = [task for task in every if task.created >= start]
        patience = self.tasks.model_studio.create_timeout
        missing = {one for one, at in made.items() if begin <= at <= now - self.grace} - set(shown)
        if not listed:
            return Evidence(sent, (), (), patience, incomplete=bool(missing)), []
        attempts = dict(self._in_flight(last.model)) | self._given_up(last.model, begin)
        known = {attempt[-1].task_id for attempt in attempts.values()} - {None}
        others = [
            _intent(one) for slot, one in attempts.items() if slot != last.slot and _open(one)
        ]
        mine = (last.job, last.slot_seq)  # claimed when its instance died as it adopted the task
        claimed = tuple(task for task in listed if self._owner(task) == mine)
        ours = {task.task_id for task in listed if self._owner(task) is not None} | known
        unknown = tuple(task for task in listed if task.task_id not in ours)
        # One made at the same moment may be shown earlier than the attempt's.
        latest = sent.at + patience
        witnessed = any(task.task_id in ours and task.created > latest for task in listed)
        earlier_tasks = (task for task in every if sent.at - BEFORE <= task.created < start)
        before = sorted(earlier_tasks, key=lambda task: -task.created)[:MOST_BEFORE]
        nobodys = (task for task in before if self._owner(task) is None)
        earlier = tuple(task for task in nobodys if task.task_id not in known)
        rivals = tuple(self._sent(one) for one in others)
        tasks = (*unknown, *earlier)
        found = Evidence(sent, rivals, tasks, patience, witnessed, claimed, bool(missing))
        return found, others

    def _made(self, last: Record) -> dict[str, float]:
        """Tasks of ours that the list must show, and when they were accepted: what pollers
        remember of the model, and those of the job's attempts before this one."""
        key = (last.job, last.slot_seq or last.seq)
        if key not in self._earlier:
            before = (one for one in self.ledger.records.chain(last.job) if one.seq < key[1])
            self._earlier[key] = {
                one.task_id: from_iso(one.submitted_at or one.at) for one in before if one.task_id
            }
        return self.ledger.durations.made(last.model) | self._earlier[key]

    def _owner(self, task: ListedTask) -> tuple[str, int] | None:
        """The attempt that has claimed a task. A claim never changes, so it is read once."""
        if task.task_id not in self._owners:
            owner = self.ledger.tasks.owner(task.task_id)
            if owner is None:
                return None
            self._owners[task.task_id] = owner
        return self._owners[task.task_id]

    def _in_flight(self, model: str) -> Iterator[tuple[Slot, list[Record]]]:
        """The records of every attempt that holds a slot."""
        every = self.ledger.slots.held(model)
        if newer := self.ledger.slots.of_newer:
            raise newer_attempt(newer[0])
        for held in every:
            attempt = self.ledger.records.attempt(held.slot)
            if attempt:
                yield held.slot, attempt

    def _given_up(self, model: str, start: float) -> dict[Slot, list[Record]]:
        """The records of the attempts that ended without an answer, since `start`."""
        slots = self.ledger.tasks.doubts(model, start)
        attempts = {slot: self.ledger.records.attempt(slot) for slot in slots}
        return {slot: attempt for slot, attempt in attempts.items() if attempt}

    def _compare_prompts(
        self, last: Record, evidence: Evidence, others: list[Record]
    ) -> tuple[Evidence, bool]:
        """Where results show the prompt, drop the tasks of other prompts.

        Also returns whether a task is still running that has to be waited for.
        """
        model, possible = self.rules.model(last.model), evidence.possible()[:MOST_PROMPTS]
        if model is None or model.prompt_key is None or not possible or evidence.certain:
            return evidence, False
        own = self._prompt(last)
        mine, not_mine, undecided = set[str](), set[str](), False
        for listed in possible:
            task = self.tasks.model_studio.query(listed.task_id)
            undecided |= task.status not in ("SUCCEEDED", *FREE)
            if task.status in FREE:
                not_mine.add(listed.task_id)
            for prompt in prompts_of(task.answer, model.results_at, model.prompt_key):
                (mine if _same(prompt, own) else not_mine).add(listed.task_id)
        rivals = any(self._prompt(other) == own for other in others)
        return evidence.judged(set() if rivals else mine, not_mine), undecided

    def _prompt(self, record: Record) -> str:
        spec = self.ledger.records.with_spec(record).spec
        return "" if spec is None else str(spec.input.get("prompt", ""))

    def _ask_a_person(self, last: Record, candidates: list[ListedTask]) -> Record | None:
        names = ", ".join(task.task_id for task in candidates) or "none"
        error = self.rules.errors.ours("SubmissionUnclear", tasks=names)
        return self.transitions.finish(last, NEEDS_ATTENTION, Outcome(error=error))


def _open(attempt: list[Record]) -> bool:
    """Whether it is unknown if an attempt has a task, although it may be over."""
    return attempt[-1].task_id is None and attempt[-1].state in UNSURE


def _intent(attempt: list[Record]) -> Record:
    """The last record of an attempt from before it was known what became of it."""
    return [one for one in attempt if one.state == SUBMITTING][-1]


def _same(shown: str, sent: str) -> bool:
    """Whether a prompt that is shown is the one that was sent; of a long one the end may be cut."""
    one, other = shown.strip().rstrip("…"), sent.strip()
    return one == other or (len(one) >= LONG_PROMPT and other.startswith(one))
