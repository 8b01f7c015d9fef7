"""The state of a live stream, without its connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ._backoff import Backoff
from ._error import TidingsError, rejection, unexpected
from ._frame import EARLIEST, Frame, FrameKind, read_frame
from ._sse import SseParser

SILENCE_LIMIT = 45.0
"""Three keepalives of the server, in seconds: one can be late and one lost."""


class Follower:
    """Decides where a stream continues, when, and whether it does."""

    def __init__(self, start: str) -> None:
        self.cursor = start
        self.wait = 0.0
        """How many seconds to wait before the next connection."""
        self.token: str | None = None
        """The token of the last attempt to connect."""
        self._backoff = Backoff()
        self._parser = SseParser()
        self._has_worked = False
        self._has_stumbled = False
        self._is_retried = False
        self._is_expiring = False

    def path(self) -> str:
        return "/subscribe?lastEventId=earliest" if self.cursor == EARLIEST else "/subscribe"

    def headers(self) -> dict[str, str]:
        """The headers of the next connection."""
        self._parser, self._is_expiring = SseParser(), False
        headers = {"Accept": "text/event-stream", "Cache-Control": "no-store", "Accept-Encoding": "identity"}
        if self.cursor and self.cursor != EARLIEST:
            headers["Last-Event-ID"] = self.cursor
        return headers

    @staticmethod
    def is_stream(status: int, headers: Mapping[str, str]) -> bool:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return status == 200 and kind == "text/event-stream"

    @staticmethod
    def refused(status: int, headers: Mapping[str, str], body: bytes) -> TidingsError:
        if status == 200:
            return unexpected("the content type is not text/event-stream")
        return rejection(status, headers, body)

    def feed(self, piece: bytes) -> Iterator[Frame]:
        """Reads bytes of the stream and yields the frames that they complete."""
        for event in self._parser.feed(piece):
            frame = read_frame(event)
            self._has_stumbled = self._has_stumbled and event.id == self.cursor
            self.cursor, self._has_worked, self._is_retried = event.id, True, False
            self._backoff.succeeded()
            if frame is not None:
                self._is_expiring = self._is_expiring or frame.kind == FrameKind.EXPIRING
                yield frame

    def needs_token(self, error: TidingsError) -> bool:
        """Whether the source of tokens must be asked before `lost`."""
        return error.needs_another_token or self._is_expiring and error.code == "stream_ended"

    def lost(self, error: TidingsError, token: str | TidingsError | None) -> Frame:
        """Returns the notice of a lost connection. Raises the error if no other connection can help.

        `token` is what the source has returned, if `needs_token` is true.
        """
        if self._parser.retry is not None:
            self._backoff.set_server_base(self._parser.retry)
            self._parser.retry = None
        if isinstance(token, TidingsError):
            error = token
        elif token is not None and token != self.token:
            # If every token is rejected, the attempts need a pause.
            self.wait = self._backoff.failed(error) if self._is_retried else 0.0
            self._is_retried = True
            return self._disconnected(error)
        self.wait = self._backoff.failed(error)
        # After a reconnect the same frame arrives again. The first failure can come from the network; the
        # second one comes from the server.
        is_first = error.in_frame and not self._has_stumbled
        self._has_stumbled = self._has_stumbled or error.in_frame
        # A fault of this machine is an error at the start only; later the stream waits for its repair.
        if is_first or error.temporary or error.local and self._has_worked:
            return self._disconnected(error)
        raise error

    def _disconnected(self, error: TidingsError) -> Frame:
        return Frame(FrameKind.DISCONNECTED, self.cursor, error=error, retry_in=self.wait)


def stream_ended(server: str) -> TidingsError:
    return TidingsError("stream_ended", f"{server} closed the stream", temporary=True)


def stream_silent() -> TidingsError:
    return TidingsError(
        "stream_silent",
        f"the stream had no bytes for {SILENCE_LIMIT:.0f} seconds",
        remedies=["check the network, and that no proxy buffers the stream"],
        temporary=True,
    )
