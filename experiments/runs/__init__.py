"""Reading runs back: W&B's files of this machine and its server, through one way of asking.

What this room promises. A store answers `find`, `poll` (only what is new), `history`, `logs` and `replays` (`store`);
every frame says whether it is complete or sampled, how old it is and what was not there (`Origin`). A damaged record,
file or run takes nothing else down. Reading loads nothing of W&B.

What one may import: `axes`, `evaluations`, `filters`, `frames`, `offline.places`, `offline.store`, `opening`, `relay`,
`roles`, `server.requests`, `server.store`, `store`, `textlog`, `thinning`, `transfer.pull`, `transfer.sync`,
`wandb_file.records`, `wandb_file.table`.

What it may import: `project`, `types`.
"""
