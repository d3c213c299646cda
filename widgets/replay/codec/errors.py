"""What can go wrong with a replay, one class per reaction.

    ReplayError
    +-- SourceError    the bytes could not be read: look at the address, the rights or the network
    +-- FormatError    the bytes are no replay: look at how the file was written
    +-- LimitError     the replay is larger than the limits: raise them when the file is trusted

Every message says what is wrong, where, and what to do.
"""

from __future__ import annotations


class ReplayError(Exception):
    """A replay cannot be opened; the message says what is wrong, and where."""


class SourceError(ReplayError):
    """The bytes of a replay cannot be fetched or read."""


class FormatError(ReplayError):
    """The bytes are not a replay that can be understood."""


class LimitError(ReplayError):
    """A replay goes past one of `Limits`.

    Attributes:
        limit: Name of the field of `Limits` that refused.
    """

    def __init__(self, limit: str, what: str, allowed: float) -> None:
        self.limit = limit
        super().__init__(
            f"{what}; the limit '{limit}' is {allowed:,}. "
            "If you trust this file, open it with limits=Limits.large (on the command line: --large)."
        )

    @classmethod
    def restored(cls, limit: str, message: str) -> LimitError:
        """Return an error met in another process."""
        error = cls.__new__(cls)
        Exception.__init__(error, message)
        error.limit = limit
        return error
