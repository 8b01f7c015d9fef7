"""Publishes events to a Tidings server, updates them in place and follows its live stream.

    from tidings import Client, NewEvent, Severity

    with Client("http://127.0.0.1:9081") as client:
        event = (
            NewEvent()
            .acted_upon("7b1d2c3e-0000-4000-8000-000000000001")
            .from_user("6c6f6361-6c00-4000-8000-000000000001")
            .with_category("connection")
            .with_action("register")
            .with_severity(Severity.SUCCESS)
            .with_description("Registered the cluster")
            .build()
        )
        receipt = client.publish(event)

`AsyncClient` has the same methods for `asyncio`. Every error is a `TidingsError` with a code and remedies.
"""

from ._answers import Outcome, Page, Receipt, Repair
from ._async_client import AsyncClient, AsyncStream
from ._builder import DraftEvent, NewEvent, NewUpdate, Update
from ._client import Client, Stream
from ._error import TidingsError
from ._event import Event, Severity, Status, new_uuid
from ._frame import EARLIEST, Frame, FrameKind
from ._metadata import Cause
from ._token import token_file

__all__ = [
    "EARLIEST",
    "AsyncClient",
    "AsyncStream",
    "Cause",
    "Client",
    "DraftEvent",
    "Event",
    "Frame",
    "FrameKind",
    "NewEvent",
    "NewUpdate",
    "Outcome",
    "Page",
    "Receipt",
    "Repair",
    "Severity",
    "Status",
    "Stream",
    "TidingsError",
    "Update",
    "new_uuid",
    "token_file",
]
