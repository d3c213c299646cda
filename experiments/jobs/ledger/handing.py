"""Writing to the ledger what becomes of jobs between a launch and their launcher's answer.

A transaction holds what belongs together: an intent with its lease, an answer with the lease's end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from experiments.jobs import leases
from experiments.jobs.ledger import budgets, outbox
from experiments.jobs.ledger.outbox import Handing
from experiments.jobs.ledger.rows import record_event
from experiments.jobs.ledger.schema import FILE, sqlite_errors
from experiments.jobs.ledger.upkeep import LedgerUpkeep


class HandingLedger(LedgerUpkeep):
    """The part of a ledger that handing jobs over writes."""

    def intend(self, specs: Mapping[str, Mapping[str, Any]], target: str, owner: str) -> list[str]:
        """Record that these jobs are about to be handed to a launcher at `target`; return those that are ours to hand.

        A job that another process hands over, or that was handed over before, is not among them.

        Args:
            specs: What the launcher will be told of each job, by run name.
            target: The launcher's word for the place.
            owner: From `leases.tenure`; holds the lease of each job that is returned.
        """
        mine = []
        with self._writing() as execute:
            now = time.time()
            budgets.expire(execute)
            closed = budgets.closed(execute, specs)
            for name, spec in specs.items():
                if name in closed:
                    continue
                query = "SELECT 1 FROM jobs WHERE run_name = ? AND state IN ('planned', 'refused')"
                if not execute(query, [name]).fetchone() or leases.take(self._connection, name, owner) is not None:
                    continue
                query = "UPDATE jobs SET state = 'submitting', target = ?, spec = ?, error = NULL WHERE run_name = ?"
                execute(query, [target, json.dumps(spec), name])
                record_event(execute, now, "intent", name, None, {"target": target})
                mine.append(name)
        return mine

    def put_into_outbox(self, specs: Mapping[str, Mapping[str, Any]], target: str) -> None:
        """Record that those of these jobs that no launcher has are to be handed over by whoever is alive.

        Args:
            specs: What the launcher will be told of each job, by run name.
            target: The launcher's word for the place.
        """
        with self._writing() as execute:
            outbox.put(execute, specs, target)

    def outbox(self) -> dict[tuple[str, str], list[str]]:
        """Return the run names that are still to be handed over, oldest first, by launcher and target."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return outbox.waiting(self._connection.execute)

    def handing(self) -> list[Handing]:
        """Return how far each plan is of which something is still to be handed over."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return outbox.progress(self._connection.execute)

    def lease_holder(self, name: str) -> str:
        """Return who holds a lease, in words; empty where it is free."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return leases.holder(self._connection, name)

    def keep_in_outbox(self, why: Mapping[str, str]) -> None:
        """Record what keeps jobs of the outbox waiting, by run name."""
        with self._writing() as execute:
            for name, reason in why.items():
                query = "UPDATE jobs SET error = ? WHERE run_name = ? AND state IN ('planned', 'submitting')"
                execute(query, [reason, name])

    def try_outbox_again(self) -> None:
        """Forget what kept jobs of the outbox waiting: they are tried again now."""
        with self._writing() as execute:
            outbox.forget_why(execute)

    def take_out_of_outbox(self, run_names: Iterable[str]) -> None:
        """Record that jobs shall not be handed over any more."""
        with self._writing() as execute:
            outbox.remove(execute, run_names)

    def leave_outbox(self, owner: str, given_up: Iterable[str] = ()) -> bool:
        """Give the leases of `owner` back, unless something is to be handed over; say whether they were.

        Args:
            owner: From `leases.tenure`.
            given_up: Run names that `owner` cannot hand over.
        """
        with self._writing() as execute:
            if {name for names in outbox.waiting(execute).values() for name in names} - set(given_up):
                return False
            outbox.sweep(execute)
            execute("DELETE FROM leases WHERE owner = ?", [owner])
        return True

    def take_lease(self, run_name: str, owner: str) -> str | None:
        """Take the lease of a job for `owner` (from `leases.tenure`); return None, or who holds it, in words."""
        with self._writing():
            return leases.take(self._connection, run_name, owner)

    def conclude(
        self,
        owner: str,
        *,
        accepted: Mapping[str, str] | None = None,
        refused: Mapping[str, str] | None = None,
        returned: Iterable[str] = (),
        put_off: Mapping[str, str] | None = None,
        cancelled: Iterable[str] = (),
    ) -> None:
        """Record what came of jobs in state `submitting`, and give all leases of `owner` back.

        A job whose lease `owner` does not hold is left as it is.

        Args:
            owner: From `leases.tenure`.
            accepted: The launcher's id of each job that it took.
            refused: The reason of each job that it did not take.
            returned: Jobs that were not handed over at all.
            put_off: The reason of each that was not either, for its launcher could not be reached.
            cancelled: Jobs that were not handed over and no longer shall be.
        """
        changes = [
            *(("submitted", "accepted", name, job_id, None) for name, job_id in (accepted or {}).items()),
            *(("refused", "refused", name, None, error) for name, error in (refused or {}).items()),
            *(("planned", "returned", name, None, None) for name in returned),
            *(("planned", "returned", name, None, error) for name, error in (put_off or {}).items()),
            *(("cancelled", "cancel", name, None, None) for name in cancelled),
        ]
        with self._writing() as execute:
            now = time.time()
            for state, kind, name, job_id, error in changes:
                changed = execute(
                    "UPDATE jobs SET state = ?, launcher_id = ?, error = ? WHERE run_name = ? AND state = 'submitting' "
                    "AND EXISTS (SELECT 1 FROM leases WHERE name = run_name AND owner = ?)",
                    [state, job_id, error, name, owner],
                ).rowcount
                if changed:
                    record_event(execute, now, kind, name, None, {"id": job_id, "error": error})
            execute("DELETE FROM leases WHERE owner = ?", [owner])

    def refuse_accepted(self, run_name: str, error: str) -> None:
        """Record that a waiting job could not be started after all, so that it can be launched again."""
        with self._writing() as execute:
            changed = execute(
                "UPDATE jobs SET state = 'refused', launcher_id = NULL, claimed_at = NULL, error = ? "
                "WHERE run_name = ? AND state = 'submitted'",
                [error, run_name],
            ).rowcount
            if changed:
                record_event(execute, time.time(), "refused", run_name, None, {"error": error})

    def cancel_unlaunched(self, run_name: str) -> bool:
        """Record a job that no launcher has as cancelled; say whether there was one to cancel."""
        with self._writing() as execute:
            changed = execute(
                "UPDATE jobs SET state = 'cancelled' WHERE run_name = ? AND state IN ('planned', 'refused')", [run_name]
            ).rowcount
            if changed:
                budgets.free(execute, run_name)
                record_event(execute, time.time(), "cancel", run_name, None, {})
        return changed > 0

    def claimed(self, run_names: Sequence[str]) -> None:
        """Record that processes were seen to have claimed these jobs: they are never started again."""
        with self._writing() as execute:
            now = time.time()
            for name in run_names:
                query = "UPDATE jobs SET claimed_at = ? WHERE run_name = ? AND claimed_at IS NULL"
                if execute(query, [now, name]).rowcount:
                    record_event(execute, now, "claimed", name, None, {})
