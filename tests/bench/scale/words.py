"""The page's prose; figures are filled in by `page`."""

from __future__ import annotations

HEAD = """# A million jobs a day

Made by `make scale` on {date}. How far the system goes, what breaks first, at what rate, what that
costs, and which setting or layout moves the bound.

The day is simulated, not measured on the cloud. What one deployment asks of OSS and Function
Compute at every load was measured by running the real handlers on a simulated clock
(`tests/bench/scale/profile.py`; round trips of 4 to 84 ms); a day of {jobs} jobs over {keys} keys
is built from that, second by second for what deployments share, job by job for what each has alone.
One *deployment* is a bucket and its four functions with one key. All deployments lie in one hosting
account unless said otherwise. A key's limits are those of its main account, so {keys} keys are
{keys} accounts at Model Studio.
"""

SHORT = """## In short

* {keys} keys with their documented limits do not carry it: {first} break first. They get
  {started} of {arrived} jobs started on the first day; the rest waits, and nothing is lost.
* {carrying} keys with documented limits carry it, or {keys} keys with {slots} tasks at once each.
* Behind the slots, one poller gets {ceiling} jobs a second done, {keys} of them {pollers} a day.
* OSS's limits are far: at most {operations} operations a second of {qps}.
* A thousand jobs cost {thousand:.2f} CNY in functions and requests, and {images} CNY in images.
"""

MODELS = """
*Keys for it*: for {jobs} jobs a day with slots {full} full. A key that uses all models that can be
paid for gets {both} jobs a day done. The submissions a second bind nowhere; the tasks at once do.
What an account is really allowed can be read (`/api/v1/quotas`), and differs.
"""

BOUNDS_NOTE = """Jobs a day of the assumed shape, with {peak:g} times the mean in the busiest hour:
where queues even things out over the day the mean counts, otherwise the busiest hour. An instance
that is missing makes an event wait; it loses nothing.
"""

DAYS = """Each day begins empty at the quietest of the night. *Left*: jobs that wait when it ends.
*Queue*: what started jobs waited for a slot, median and 95 %. *Event*: what events waited for an
instance, 95 %. OSS: operations a second, mean and peak, of one account (a list counts as many as it
names keys). Instances: mean and peak, pollers included. No event waited longer than {longest} for
an instance, and {given_up} were given up.

![jobs waiting over the day](scale/waiting.svg)

![share done as the load grows](scale/done.svg)
"""

LAYOUTS = """
Hosting accounts with {raised} instances each (with {quota}, no more than {reservable} pollers may
be reserved in one). Slots are {full} full on the mean, so in the busiest hours jobs wait, and what
is left is worked off in the quiet ones that follow; the row for the busiest hour shows what it
takes that they do not wait. A deployment is a bucket of its own: the state's keys are fixed, so one
bucket cannot hold two.
"""

BURSTS = """## {many} files at once

Into one bucket within {length:g} s, while the other {others} pollers keep their instances. How long
an event waits until its job is queued:

"""

BURSTS_NOTE = """
Function Compute doubles the pause of an event that finds no instance; whether it also spreads the
pauses is not documented, so both are shown. {binds} One `.jsonl` file spares the events: `submit`
takes {milliseconds:.0f} ms a job, so a file may hold {a_file} jobs and leave a fifth of its
{timeout} s. The slots of one key then need {days:.1f} days for them.
"""

BY_BUCKET = "With the larger quota it is the bucket's rate for keys in sequence that binds."
BY_INSTANCES = "With either quota it is the instances that bind."

PRICES = """
Images as the catalogue prices them, one a job, without free ones. Not in it: storage, logs, traffic
to the internet, the CPU's own time beside the waiting, cold starts.
"""

SETTINGS = """
Measured with the real handlers on the limits of `{model}`, or by the price list.
"""

POINTS = """What one deployment was measured to do (*delay*: from a task's end to its image in the
bucket; operations, requests and queries without `/s` are a job's):

"""

CHECKED = """
Checked against the real handlers: {jobs} jobs at once through one deployment with {slots} slots
take {real:.1f} minutes there, from the first file to the last image, and {built:.1f} minutes here.
"""

LEFT_OUT = """## What is not in it

Failures, retries of failed tasks and task times that differ from hour to hour; the CPU's own time
of the functions; cold starts; the page and the API. Model Studio is taken to queue one task over
its limit, as the catalogue's `queue_ahead` says. Where OSS's rate is the limit, the simulation lets
in no more than fits; in the cloud the store's client meets 503, waits and asks again. All of a
bucket's requests are held against the rate for keys in sequence, though records are named after
their jobs. While a poller works, ticks of its timer wait in Function Compute's queue and are run,
or expire, later; each is a short call that finds nothing left to do.
"""
