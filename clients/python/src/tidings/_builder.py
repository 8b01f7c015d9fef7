"""Builds events and updates step by step."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from ._error import invalid_event
from ._event import new_uuid
from ._metadata import storable

SYSTEM = "system"
NIL = UUID(int=0)


def uuid_of(value: UUID | str, field: str) -> UUID:
    """Reads a UUID. The nil UUID means "none" elsewhere, and must not reach another owner by mistake."""
    try:
        read = value if isinstance(value, UUID) else UUID(value)
    except (ValueError, TypeError, AttributeError):
        raise invalid_event(f"{field} is {value!r}, which is not a UUID", f"pass the UUID of the {field}") from None
    if read == NIL:
        raise invalid_event(f"{field} is the nil UUID", f"pass the UUID of the {field}, or leave it out")
    return read


class _Content:
    """What an event and an update have in common: the owner, severity, description and metadata."""

    def __init__(self) -> None:
        self._body: dict[str, Any] = {"owner": SYSTEM, "description": "", "metadata": None}

    def from_user(self, user: UUID | str) -> Self:
        """Sets the user who receives the event. Without a user every user sees it."""
        self._body["owner"] = str(uuid_of(user, "user"))
        return self

    def for_caller(self) -> Self:
        """Addresses the event to the user of the client's token."""
        self._body.pop("owner", None)
        return self

    def with_severity(self, severity: str) -> Self:
        """Sets the urgency, a `Severity`."""
        self._body["severity"] = str(severity)
        return self

    def with_description(self, description: str) -> Self:
        """Sets what happened, in words for the user; at most 4 KiB."""
        self._body["description"] = description
        return self

    def with_metadata(self, metadata: Mapping[str, Any] | None) -> Self:
        """Replaces the metadata: at most 64 KiB of JSON.

        An event of severity error has its cause under `error`: a `Cause`, an exception or a text. A link to
        documentation is under `doc`. `progress`, a number from 0 to 100, is shown as a bar.
        """
        self._body["metadata"] = storable(metadata)
        return self


@dataclass(frozen=True, slots=True)
class DraftEvent:
    """An event to publish, from `NewEvent.build`."""

    id: UUID
    operation_id: UUID
    body: Mapping[str, Any]


class NewEvent(_Content):
    """Builds events with the names of the guide for server events.

    Each method changes the builder and returns it. All events of a builder share the operation id.
    """

    def __init__(self) -> None:
        super().__init__()
        self._operation_id = new_uuid()

    def acted_upon(self, resource: UUID | str) -> Self:
        """Sets the resource that the event is about; required. `uuid.uuid5` makes a UUID of a name."""
        self._body["actedUpon"] = str(uuid_of(resource, "resource"))
        return self

    def from_system(self, system: UUID | str) -> Self:
        """Sets the installation that sends the event. The default is the one that stores it."""
        self._body["systemId"] = str(uuid_of(system, "system"))
        return self

    def for_operation(self, operation: UUID | str) -> Self:
        """Adds the events to an operation that started elsewhere."""
        self._operation_id = uuid_of(operation, "operation")
        return self

    def with_category(self, category: str) -> Self:
        """Sets the subject area, such as `connection`: snake_case, at most 64 bytes."""
        self._body["category"] = category
        return self

    def with_action(self, action: str) -> Self:
        """Sets the action, such as `register`: snake_case, at most 64 bytes."""
        self._body["action"] = action
        return self

    def build(self) -> DraftEvent:
        """Returns an event with a new id and the current time. The builder can build further events."""
        event_id = new_uuid()
        body = copy.copy(self._body) | {
            "id": str(event_id),
            "operationId": str(self._operation_id),
            "createdAt": datetime.now(UTC).isoformat(),
        }
        return DraftEvent(event_id, self._operation_id, body)


@dataclass(frozen=True, slots=True)
class Update:
    """New content of a published event, from `NewUpdate.build`."""

    id: UUID
    body: Mapping[str, Any]


class NewUpdate(_Content):
    """Builds an update of a published event, which replaces severity, description and metadata as a whole."""

    def __init__(self, event: UUID | str) -> None:
        super().__init__()
        self._id = uuid_of(event, "event")

    def with_sequence(self, sequence: int) -> Self:
        """Orders the updates: one with a sequence that is not higher than the last one changes nothing."""
        self._body["sequence"] = sequence
        return self

    def renotify(self) -> Self:
        """Makes the event unread again."""
        self._body["renotify"] = True
        return self

    def build(self) -> Update:
        """Returns the update."""
        return Update(self._id, copy.copy(self._body))
