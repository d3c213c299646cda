"""Sweeps: which settings are tried, what is recorded of each trial, and what is tried next.

`ranges` is what people type, `template` the config that later trials are made from, `search` what the ledger keeps,
`suggesting` the sampler.
"""
