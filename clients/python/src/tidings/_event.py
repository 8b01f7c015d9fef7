"""Events, as the list and the stream return them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Severity(StrEnum):
    """The urgency of an event, from the most urgent one."""

    EMERGENCY = "emergency"
    ALERT = "alert"
    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    SUCCESS = "success"
    INFORMATIONAL = "informational"
    DEBUG = "debug"


class Status(StrEnum):
    """Whether a reader has read an event."""

    UNREAD = "unread"
    READ = "read"


def new_uuid() -> UUID:
    """Returns a UUID of version 7, which begins with the time in milliseconds."""
    milliseconds = time.time_ns() // 1_000_000
    value = bytearray(milliseconds.to_bytes(6, "big") + os.urandom(10))
    value[6] = value[6] & 0x0F | 0x70
    value[8] = value[8] & 0x3F | 0x80
    return UUID(bytes=bytes(value))


@dataclass(frozen=True, slots=True)
class Event:
    """A stored event."""

    id: UUID
    owner: UUID
    system_id: UUID
    operation_id: UUID
    acted_upon: UUID
    category: str
    action: str
    description: str
    severity: str
    status: str
    metadata: dict[str, Any] | None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Event:
        """Reads the JSON of an event."""
        deleted = body.get("deletedAt")
        return cls(
            UUID(body["id"]),
            UUID(body["owner"]),
            UUID(body["systemId"]),
            UUID(body["operationId"]),
            UUID(body["actedUpon"]),
            str(body["category"]),
            str(body["action"]),
            str(body["description"]),
            str(body["severity"]),
            str(body["status"]),
            body["metadata"],
            datetime.fromisoformat(body["createdAt"]),
            datetime.fromisoformat(body["updatedAt"]),
            None if deleted is None else datetime.fromisoformat(deleted),
        )
