"""The frames of the live stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ._error import TidingsError, unexpected
from ._event import Event
from ._sse import SseEvent

EARLIEST = "earliest"
"""Begins a stream at the oldest stored event."""


class FrameKind(StrEnum):
    """The kinds of frames, which docs/streaming.md describes. Frames of other kinds are skipped."""

    READY = "ready"
    """Begins a connection, or tells that frames until `LIVE` have no counts."""
    LIVE = "live"
    """The replay is complete; has the exact counts at its cursor."""
    EVENT = "event"
    """An event was published."""
    UPDATED = "updated"
    """The content of an event was replaced."""
    STATUS = "status"
    """Events were marked as read or unread."""
    DELETED = "deleted"
    """Events were deleted."""
    RESET = "reset"
    """The cursor cannot be used: drop what you show, and fetch the list."""
    EXPIRING = "expiring"
    """The token expires. The stream continues with another token by itself."""
    DISCONNECTED = "disconnected"
    """From the client: the connection was lost, and the stream connects again."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame. Each kind has some of the fields."""

    kind: FrameKind
    cursor: str
    """The position after this frame. Store it with the effect of the frame, or after it."""
    event: Event | None = None
    ids: tuple[UUID, ...] = ()
    system_ids: tuple[UUID, ...] | None = None
    """Those of `ids` that mean events of the system; `None` if the frame does not tell."""
    status: str | None = None
    updated_at: datetime | None = None
    unread: Mapping[str, int] | None = None
    """The counts of `LIVE`, or how the frame changes them; `None` in a replay."""
    read: Mapping[str, int] | None = None
    reason: str | None = None
    at: datetime | None = None
    error: TidingsError | None = None
    """Why the connection was lost."""
    retry_in: float = 0.0
    """How many seconds the stream waits."""


def read_frame(event: SseEvent) -> Frame | None:
    """Reads an event of the stream; `None` if its name is unknown."""
    if not event.id:
        raise unexpected("a frame has no cursor", in_frame=True)
    try:
        if not event.name:
            return Frame(FrameKind.EVENT, event.id, event=Event.read(json.loads(event.data)))
        if event.name not in _KINDS:
            return None
        return _named(FrameKind(event.name), event.id, json.loads(event.data))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unexpected("a frame cannot be read", in_frame=True) from error


_KINDS = frozenset(FrameKind) - {FrameKind.EVENT, FrameKind.DISCONNECTED}


def _named(kind: FrameKind, cursor: str, data: Mapping[str, Any]) -> Frame:
    counts = data["summary"] if kind == FrameKind.LIVE else data
    return Frame(
        kind,
        cursor,
        event=Event.read(data["event"]) if kind == FrameKind.UPDATED else None,
        ids=tuple(UUID(one) for one in data.get("ids", ())),
        system_ids=tuple(UUID(one) for one in data["systemIds"]) if "systemIds" in data else None,
        status=data.get("status"),
        updated_at=_time(data.get("updatedAt")),
        unread=counts.get("unread"),
        read=counts.get("read"),
        reason=data.get("reason"),
        at=_time(data.get("at")),
    )


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
