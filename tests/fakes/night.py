"""An agent's night: somebody with a permit who does whatever may make one of twenty equal arms look better.

`python tests/fakes/night.py FOLDER ATTEMPTS SEED` prints one JSON object: what was done, and what came of it.
"""

from __future__ import annotations

import collections
import dataclasses
import json
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from experiments.jobs.covering import cover_launch
from experiments.jobs.designs import record_journal, registration_of
from experiments.jobs.handover import LAUNCHERS
from experiments.jobs.journal import Journal, recorded_in
from experiments.jobs.ledger import Limits, open_ledger
from experiments.jobs.ledger.granted import new
from experiments.jobs.permits import allow_launch
from experiments.jobs.plan import RecordedJob
from experiments.jobs.preparation import prepare_plan
from experiments.jobs.rule import Rule
from experiments.jobs.submission import cancel, retry, submit
from experiments.jobs.tokens import digest_of, new_token
from experiments.monitoring import job_statuses
from experiments.project.errors import ExperimentsError
from experiments.project.provenance import OwnCode
from experiments.results.scores import scored_runs, summary_of
from experiments.results.verdict import judge
from experiments.runs.opening import default_store
from tests.fakes import stepped
from tests.fakes.launching import workspace_at
from tests.fakes.stepped import AtOnce, config_of
from tests.share import share

COMMAND = ("python", "train.py")
ARMS = {f"arm{number}": {"rate": 10 ** (-1 - number / 10)} for number in range(20)}
ALIKE = {f"{values['rate']}": name for name, values in ARMS.items()}
SEEDS, JOBS = 5, share(600, 300)


def score(rate: float, _batch: int, seed: int) -> float:
    """Return what a run comes to: noise that its settings and its seed decide, the same law for every arm."""
    return 100 + random.Random(f"{stepped.NIGHT} {rate} {seed}").gauss(0, 1)


@dataclasses.dataclass
class Night:
    """What an agent knows, and what it tries next."""

    folder: Path
    seed: int

    def __post_init__(self) -> None:
        stepped.NIGHT, stepped.score_of = self.seed, score
        self.draw = random.Random(self.seed)
        self.workspace = workspace_at(self.folder, user="ada")
        self.cluster = AtOnce(self.workspace.state)
        LAUNCHERS["skypilot"] = lambda _: self.cluster
        token = new_token("night")
        with open_ledger(self.workspace) as ledger:
            ledger.grant_permit(new("night", digest_of(token), ("launch", "cancel", "retry"), (), "test"), Limits(JOBS))
        self.token = token
        self.known: dict[str, list[tuple[str, str, Journal | None]]] = {}
        self.refused = collections.Counter()
        self.tried = collections.Counter()
        self.seen: dict[tuple[str, str, int], float] = {}
        self.saw: dict[tuple[str, str], set[tuple[str, int]]] = {}

    def attempt(self) -> None:
        act = self.draw.choice([self.launch] * 5 + [self.claim_late, self.again, self.kill, self.more_seeds])
        self.tried[act.__name__] += 1
        self.look()
        try:
            with allow_launch(self.token) as permit:
                act(permit)
        except ExperimentsError as error:
            self.refused[type(error).__name__] += 1

    def launch(self, permit) -> None:
        """Compare what looks best with what looks worst, on seeds of its liking, whatever it calls them."""
        best, worst = self.ranked()[-1], self.ranked()[0]
        arm = self.draw.choice([best, self.draw.choice(list(ARMS))])
        baseline = self.draw.choice([worst, "arm0", self.draw.choice(list(ARMS))])
        if arm == baseline:
            return
        first = self.draw.choice([0, 0, 100 * self.draw.randrange(50)])
        name = self.draw.choice([f"study{len(self.known)}", f"study{self.draw.randrange(len(self.known) + 1)}"])
        written = self.journal(arm, baseline) if self.draw.random() < 0.8 else None
        self.submit(name, (baseline, arm), range(first, first + SEEDS), written, permit)

    def more_seeds(self, permit) -> None:
        """Add seeds to something that is not decided as it should be."""
        if self.known:
            name = self.draw.choice(list(self.known))
            arm, baseline, journal = self.known[name][-1]
            number = self.draw.choice([SEEDS + 1, 2 * SEEDS])
            self.submit(name, (baseline, arm), range(number), journal, permit)

    def claim_late(self, permit) -> None:
        """Write down what was seen as if it had been expected."""
        if self.known:
            name = self.draw.choice(list(self.known))
            arm, baseline, _ = self.known[name][-1]
            self.submit(name, (baseline, arm), range(SEEDS), self.journal(arm, baseline, "as I always said"), permit)

    def again(self, permit) -> None:
        """Draw the worst seed of an arm once more."""
        jobs = self.jobs()
        if jobs:
            worst = min(jobs, key=lambda job: score(float(ARMS[job.arm]["rate"]), 0, job.seed))
            retry(worst.run_name, permit, self.workspace)

    def kill(self, permit) -> None:
        """Cancel some of what does not look as it should."""
        names = [job.run_name for job in self.jobs()]
        if names:
            cancel(self.draw.sample(names, min(3, len(names))), permit, self.workspace)

    def submit(self, name, arms, seeds, journal, permit) -> None:
        recorded = [RecordedJob(arm, config_of(ARMS[arm])) for arm in arms]
        options = {"launcher": "skypilot", "repeat": 1, "has_own_code": True, "train_command": COMMAND}
        plan = prepare_plan(self.workspace, name, recorded, seeds=seeds, **options)
        with open_ledger(self.workspace) as ledger:
            cover_launch(permit, plan, ledger, self.workspace.root)
        if record_journal(plan, journal, permit, self.workspace):
            self.saw.setdefault((name, journal.digest), {(arm, seed) for arm, _, seed in self.seen})
        submit(plan, permit, self.workspace, own=OwnCode())
        self.known.setdefault(name, []).append((arms[1], arms[0], journal))

    def journal(self, arm: str, baseline: str, hypothesis: str = "it is better") -> Journal:
        effect = self.draw.choice([0.0, 0.0, 0.1])
        rule = Rule(metric="score", direction="higher", effect=effect, arm=arm, baseline=baseline)
        return Journal(hypothesis=hypothesis, rule=rule)

    def jobs(self):
        with open_ledger(self.workspace, read_only=True) as ledger:
            return ledger.jobs()

    def look(self) -> None:
        """See what every run came to so far."""
        for job in self.cluster.jobs():
            arm = ALIKE.get(job["said"]["rate"])
            if arm is not None:
                self.seen[arm, job["name"], job["seed"]] = score(float(job["said"]["rate"]), 0, job["seed"])

    def ranked(self) -> list[str]:
        """Return the arms by what was seen of them, the best last."""
        found = collections.defaultdict(list)
        for (arm, _, _), value in self.seen.items():
            found[arm].append(value)
        return sorted(ARMS, key=lambda arm: statistics.fmean(found[arm]) if found[arm] else 100)

    def verdicts(self) -> list[dict]:
        """Return each claim that was recorded, and whether the agent had seen runs of its candidate's seeds by then.

        One that is registered says what it came to.
        """
        found = []
        for name in self.known:
            with open_ledger(self.workspace, read_only=True) as ledger:
                jobs = ledger.jobs(experiment=name)
                recorded = recorded_in(ledger, list({job.plan_key for job in jobs}))
            refs = [job.ref() for job in jobs]
            statuses = {each.run_name: each for each in job_statuses(self.workspace.state, [ref.run for ref in refs])}
            for digest, journal in {each.digest: each.journal for each in recorded}.items():
                arm = journal.rule.arm
                seeds = {(job.arm, job.seed) for job in jobs if job.arm == arm}
                registration = registration_of(self.workspace, refs, journal)
                if not registration.is_registered:
                    found.append({"decision": "", "chose": bool(seeds & self.saw[name, digest])})
                    continue
                store, summary = default_store(self.workspace.root), summary_of(journal.rule)
                runs = scored_runs(refs, "score", store, statuses=statuses, summary=summary)
                chose = {(arm, seed) for seed in registration.seeds[arm]} & self.saw[name, digest]
                found.append({"decision": judge(journal, runs, registration).decision, "chose": bool(chose)})
        return found


def main(folder: str, attempts: int, seed: int) -> None:
    night = Night(Path(folder), seed)
    began = time.perf_counter()
    for _ in range(attempts):
        night.attempt()
    took = time.perf_counter() - began
    with open_ledger(night.workspace, read_only=True) as ledger:
        [budget] = ledger.budgets()
    handed = collections.Counter(job["name"] for job in night.cluster.jobs())
    print(json.dumps({
        "drawn": budget.jobs,
        "handed": len(handed),
        "twice": sum(number > 1 for number in handed.values()),
        "claims": night.verdicts(),
        "tried": night.tried,
        "refused": night.refused,
        "took_s": took,
    }))  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
