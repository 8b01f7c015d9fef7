"""Uses the client that openapi-python-client generates: publish with a cause, list sorted, mark, delete.

The first argument is the server's address. The generated package is `tidings_api`.
"""

import sys
from uuid import UUID, uuid4

from tidings_api import Client
from tidings_api.api.events import create_events, delete_event, delete_events, get_event
from tidings_api.api.events import list_events, mark_event, mark_events
from tidings_api.models import (
    DeleteNamed,
    ErrorBody,
    Event,
    EventPage,
    ImportableEvent,
    ListEventsOrder,
    ListEventsSeverityItem,
    ListEventsSort,
    MarkNamed,
    MarkOne,
    PublishedEvent,
    Severity,
    Status,
)
from tidings_api.models.new_event_metadata_type_0 import NewEventMetadataType0

RESOURCE = UUID("7b1d2c3e-0000-4000-8000-000000000001")


def event(description: str, severity: Severity) -> ImportableEvent:
    return ImportableEvent(
        id=uuid4(),
        acted_upon=RESOURCE,
        category="connection",
        action="ping",
        severity=severity,
        description=description,
    )


client = Client(base_url=sys.argv[1])
failed = event("Could not ping", Severity.ERROR)
failed.metadata = NewEventMetadataType0.from_dict(
    {"error": {"ShortDescription": ["refused"], "SuggestedRemediation": ["Start the cluster"]}}
)
stored = create_events.sync(client=client, body=failed)
assert isinstance(stored, PublishedEvent), stored
assert stored.metadata["error"]["SuggestedRemediation"] == ["Start the cluster"]
others = [event(text, Severity.SUCCESS) for text in ("one", "two")]
batch = create_events.sync(client=client, body=others)
assert isinstance(batch, list) and [one.description for one in batch] == ["one", "two"], batch

page = list_events.sync(
    client=client, sort=ListEventsSort.CREATED_AT, order=ListEventsOrder.DESC, pagesize=10
)
assert isinstance(page, EventPage), page
assert [one.description for one in page.events] == ["two", "one", "Could not ping"]
errors = list_events.sync(client=client, severity=[ListEventsSeverityItem.ERROR])
assert [one.id for one in errors.events] == [failed.id]

marked = mark_event.sync_detailed(failed.id, client=client, body=MarkOne(status=Status.READ))
assert marked.status_code == 200, marked
read = get_event.sync(failed.id, client=client)
assert isinstance(read, Event) and read.status == Status.READ, read
ids = [one.id for one in others]
marked = mark_events.sync_detailed(client=client, body=MarkNamed(ids=ids, status=Status.READ))
assert marked.status_code == 200, marked
deleted = delete_events.sync_detailed(client=client, body=DeleteNamed(ids=ids))
assert deleted.status_code in (200, 204), deleted
assert delete_event.sync_detailed(failed.id, client=client).status_code == 204
gone = get_event.sync(failed.id, client=client)
assert isinstance(gone, ErrorBody) and gone.suggested_remediation, gone
print("ok")
