"""What a ledger knows of budgets and permits: granted, drawn on, ended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from experiments.jobs.ledger import budgets, granted
from experiments.jobs.ledger.budgets import Budget, Cost, Limits
from experiments.jobs.ledger.granted import Granted
from experiments.jobs.ledger.handing import HandingLedger
from experiments.jobs.ledger.schema import FILE, sqlite_errors
from experiments.project.errors import UsageError


class LedgerBudgets(HandingLedger):
    """The part of a ledger that says what may be used, and what is."""

    def grant(self, name: str, limits: Limits, by: str) -> None:
        """Grant a budget, or give one that is there other limits.

        Raises:
            UsageError: It would be over before it begins.
        """
        with self._writing() as execute:
            budgets.grant(execute, name, limits, by)
            self._tell(execute, budgets.KIND, {**vars(limits), "name": name, "by": by})

    def grant_permit(self, permit: Granted, limits: Limits) -> None:
        """Record a permit with the budget that it draws on.

        Raises:
            UsageError: It would be over before it begins, or a budget has its name already.
        """
        with self._writing() as execute:
            if budgets.read(execute, permit.name):
                raise UsageError(f"there was a permit or budget {permit.name!r} before. Give this one another name.")
            budgets.grant(execute, permit.name, limits, permit.granted_by)
            granted.write(execute, permit)
            told = {"name": permit.name, "may": permit.may, "recipes": permit.recipes, "by": permit.granted_by}
            self._tell(execute, granted.KIND, {**told, **vars(limits)})

    def permits(self, name: str | None = None) -> list[Granted]:
        """Return every permit that was granted, oldest first; of a name, that one or none."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return granted.read(self._connection.execute, name)

    def draw(self, name: str, costs: Mapping[str, Cost]) -> None:
        """Draw on a budget for jobs that are recorded already; what was drawn before, on whichever, is not drawn again.

        Raises:
            LaunchError: It is not enough, or has ended; then nothing is drawn.
        """
        self._expire_budgets()
        with self._writing() as execute:
            budgets.draw(execute, name, costs)

    def spend_out(self, name: str, why: str) -> None:
        """End a budget whose purpose has ended; a permit stays, for it is for more than this."""
        if not self.permits(name):
            self.end_budget(name, why)

    def end_budget(self, name: str, why: str) -> bool:
        """End a budget, so that nothing draws on it any more; say whether it was open."""
        with self._writing() as execute:
            if was_open := budgets.end(execute, name, why):
                self._tell(execute, budgets.KIND, {"name": name, "ended": why})
        return was_open

    def closed_budgets(self, run_names: Iterable[str]) -> dict[str, str]:
        """Return of jobs whose budget has ended why they must not start, by run name."""
        self._expire_budgets()
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return budgets.closed(self._connection.execute, run_names)

    def closed_budget(self, name: str) -> str:
        """Return why nothing more may be launched on a budget; empty while it is open, or where none has the name."""
        self._expire_budgets()
        return next((one.why or budgets.OVER for one in self.budgets() if one.name == name and not one.is_open), "")

    def _expire_budgets(self) -> None:
        """Record which budgets are over, in a transaction of its own: a draw that is refused undoes what is in its."""
        if self._rows("SELECT 1 FROM budgets WHERE ended_at IS NULL AND until <= ? LIMIT 1", [time.time()]):
            with self._writing() as execute:
                budgets.expire(execute)

    def budgets(self) -> list[Budget]:
        """Return every budget that was granted, with what is drawn from it, oldest first."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return budgets.read(self._connection.execute)

    def budgeted(self, name: str) -> list[str]:
        """Return the run names that drew on a budget and have not ended."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return budgets.runs_of(self._connection.execute, name)

    def budget_of(self, run_name: str) -> str | None:
        """Return the name of the budget that a job drew on; None where it drew on none."""
        rows = self._rows("SELECT budget FROM draws WHERE run_name = ?", [run_name])
        return rows[0]["budget"] if rows else None

    def drawn(self, name: str) -> frozenset[str]:
        """Return the run names that ever drew on a budget."""
        with self._lock, sqlite_errors(self.state_dir / FILE):
            return budgets.drawn(self._connection.execute, name)
