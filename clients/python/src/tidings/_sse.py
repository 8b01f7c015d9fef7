"""A parser for server-sent events (WHATWG HTML §9.2.6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ._error import TidingsError, unexpected

MAX_FRAME_BYTES = 4 * 1024 * 1024
"""Bounds the memory that a broken server can use: thirty times the largest event by default."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One dispatched event."""

    name: str
    data: str
    id: str


class SseParser:
    """Parses a stream in pieces of any size."""

    def __init__(self) -> None:
        self.retry: int | None = None
        """The last `retry:` in milliseconds."""
        self._line = bytearray()
        self._after_return = False
        self._started = False
        self._name = ""
        self._data: list[str] = []
        self._size = 0
        self._id = ""

    def feed(self, piece: bytes) -> Iterator[SseEvent]:
        """Reads a piece and yields the events that it completes."""
        while piece:
            if self._after_return:
                self._after_return = False
                if piece.startswith(b"\n"):
                    piece = piece[1:]
                    continue
            ends = [end for end in (piece.find(b"\n"), piece.find(b"\r")) if end >= 0]
            end = min(ends, default=len(piece))
            if self._size + len(self._line) + end > MAX_FRAME_BYTES:
                raise too_large()
            self._line += piece[:end]
            if not ends:
                return
            self._after_return = piece[end] == 13
            piece = piece[end + 1 :]
            line, self._line = bytes(self._line), bytearray()
            event = self._end_line(line)
            if event is not None:
                yield event

    def _end_line(self, line: bytes) -> SseEvent | None:
        if not self._started:
            self._started = True
            line = line.removeprefix(b"\xef\xbb\xbf")
        text = line.decode("utf-8", "replace")
        if not text:
            name, data = self._name, self._data
            self._name, self._data, self._size = "", [], 0
            return SseEvent(name, "\n".join(data), self._id) if data else None
        field, _, value = text.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
            self._size += len(line)
        elif field == "id" and "\0" not in value:
            self._id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value[:10])
        return None


def too_large() -> TidingsError:
    return unexpected(f"a frame has more than {MAX_FRAME_BYTES} bytes", in_frame=True)
