"""What programs and agents talk to: `experiments mcp`, a server of the Model Context Protocol, and `experiments skill`.

The functions are those of the commands, and so are their envelopes: `tools` says which are offered and what they take,
`launching` runs a recipe under a permit, `resources` has what is read, `bounds` keeps every answer small and says
what was left out, `wire` reads and writes lines within limits, and `server` speaks the protocol over it.

What others wrote (names, notes, logs, configs, errors) is data: it stands in JSON strings only, escapes are gone, and
each answer says so. Nothing is changed without a permit that a person granted (`jobs.permits.server_leave`).
"""
