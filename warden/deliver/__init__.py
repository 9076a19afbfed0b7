"""The third step of a cycle: what was decided reaches people.

Standing in the flow: `evaluate` has committed dispatches. `flush` turns those that are due into
messages and deliveries and commits them; `Deliverer` then claims deliveries under a lease (commit),
hands them to the channels (no transaction is open), and records how each try ended (commit). A
crash between any two steps leaves work that is done again under the same key, so that every
message arrives at least once and an idempotent recipient sees it once.
"""

from warden.deliver.composing import Flushed, flush, make_message, queue_exercise
from warden.deliver.outlet import Outlet
from warden.deliver.sending import SCHEDULE_S, Deliverer, Sent, pause_s, send_due

__all__ = [
    "SCHEDULE_S", "Deliverer", "Flushed", "Outlet", "Sent", "flush", "make_message", "pause_s",
    "queue_exercise", "send_due",
]  # fmt: skip
