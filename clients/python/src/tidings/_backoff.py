"""The wait before the next attempt."""

from __future__ import annotations

import random
import time

from ._error import TidingsError

MAX_WAIT = 30.0
"""The most seconds, so that a user who has repaired a network does not wait for minutes."""


class Backoff:
    """Random waits between zero and a limit that doubles with each failure."""

    def __init__(self) -> None:
        self.base = 1.0
        self.failures = 0

    def set_server_base(self, milliseconds: int) -> None:
        """Sets the limit of the first wait to the server's `retry:`, from 0.1 to 300 seconds."""
        self.base = min(max(milliseconds / 1_000, 0.1), 300.0)

    def succeeded(self) -> None:
        self.failures = 0

    def failed(self, error: TidingsError) -> float:
        """Counts a failure and returns the wait after it, in seconds."""
        limit = min(self.base * 2.0 ** min(self.failures, 64), max(self.base, MAX_WAIT))
        self.failures += 1
        return error.retry_after + random.uniform(0, limit)


class Retries:
    """The attempts of one call."""

    def __init__(self, seconds: float) -> None:
        self._backoff = Backoff()
        self._end = time.monotonic() + seconds

    def wait_after(self, error: TidingsError) -> float:
        """Returns the wait before the next attempt. Raises the error if there is none."""
        wait, left = self._backoff.failed(error), self._end - time.monotonic()
        if not error.temporary or left <= error.retry_after:
            raise error
        # The last attempt is at the end of the time, not before it.
        return min(wait, left)
