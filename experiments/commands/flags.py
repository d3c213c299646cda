"""Flags that several commands have, as types of their parameters."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import tyro

Flag: TypeAlias = Annotated[bool, tyro.conf.arg(help_behavior_hint="")]
"""A switch, whose help does not say that it is off by default."""

JsonFlag: TypeAlias = Annotated[bool, tyro.conf.arg(name="json", help_behavior_hint="")]
"""`--json`; the parameter is `json_`."""

Texts = None | tuple[str, ...]
"""Words after a flag, which may be left out."""
