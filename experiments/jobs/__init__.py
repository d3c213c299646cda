"""Jobs: asked for, planned, recorded, handed to a launcher and watched until they end.

What this room promises. A job is never launched twice and never launched and forgotten, whatever is killed when: intent
in the `ledger`, handing over under a lease (`handover`; in the background, `outbox`), the launcher's answer, in this
order. Nothing is launched, cancelled or retried without a `Permit` (`permits`). The state of a job is what its
scheduler and its tracker say, side by side, and one verdict on both (`watch`).

What one may import: `arms`, `batches`, `called`, `checkpoints`, `commands`, `controls.checking`, `controls.files`,
`controls.marks`, `controls.pooled`, `covering`, `criteria`, `designs`, `evaluating`, `events`, `families`, `finding`,
`funding`, `handover`, `journal`, `launchers.base`, `launchers.local.capacity`, `launchers.sky.client`,
`launchers.sky.words`, `leases`, `ledger`, `ledger.budgets`, `ledger.granted`, `ledger.mending`, `ledger.outbox`,
`ledger.reading`, `ledger.schema`, `machine`, `once_more`, `outbox`, `own_jobs`, `permits`, `plan`, `pools`,
`preparation`, `preview`, `ran`, `reproducing`, `rule`, `selection`, `shelf`, `sparing`, `specs`, `submission`,
`sweeps.edges`, `sweeps.freezing`, `sweeps.going_on`, `sweeps.pruning`, `sweeps.ranges`, `sweeps.search`,
`sweeps.suggesting`, `sweeps.template`, `tokens`, `watch.alerting`, `watch.alerts`, `watch.ending`, `watch.logs`,
`watch.monitor`, `watch.ongoing`, `watch.poller`, `watch.publishing`, `watch.snapshots`, `watch.stepping`,
`watch.stopping`, `watch.verdicts`.

What it may import: `project`, `runs`, `trainer`, `types`.
"""
