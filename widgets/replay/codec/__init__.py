"""Replay files read, held and packed: any version within limits, columns of change points, the viewer's wire format.

Reading goes from `sources` (bytes) by `document` (JSON taken apart), `top` and `normalise` (fields checked, each in its
shape) to a `replay`. What the page says of that is worked out here, once: by `told`, with the rules as `recipes`,
`teams`, `looks`, `overview` and `stats`. `wire` packs all of it into the chunks of `encoded`, which `cache` keeps.
"""
