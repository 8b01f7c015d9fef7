"""What the server answers to publishes, updates and lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from ._error import TidingsError
from ._event import Event


@dataclass(frozen=True, slots=True)
class Repair:
    """Something that the server changed in an event to store it."""

    field: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored event: it is on disk and was delivered to every open stream of its owner."""

    event: Event
    repeated: bool
    """Whether the event, or a later update, was stored before, so that nothing has changed."""
    warnings: tuple[Repair, ...]

    @classmethod
    def read(cls, body: Mapping[str, Any], repeated: bool) -> Receipt:
        warnings = tuple(
            Repair(str(one["field"]), str(one["code"]), str(one["message"])) for one in body.get("warnings", [])
        )
        return cls(Event.read(body), repeated, warnings)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one event of `publish_each`: a receipt or an error."""

    receipt: Receipt | None
    error: TidingsError | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list."""

    events: list[Event]
    total_count: int | None
    next: str | None
    cursor: str
    """Where a stream continues after this list."""
    system_id: UUID

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Page:
        events = [Event.read(event) for event in body["events"]]
        return cls(events, body.get("totalCount"), body.get("next"), body["cursor"], UUID(body["systemId"]))
