"""Uses the client that openapi-generator generates: publish with a cause, list sorted, mark, delete.

The first argument is the server's address. The generated package is `tidings_api`.
"""

import sys
from uuid import UUID, uuid4

import tidings_api
from tidings_api.models import DeleteNamed, DeleteSeveral, ImportableEvent, MarkNamed, MarkOne
from tidings_api.models import MarkSeveral, Publication, Severity, Status

RESOURCE = UUID("7b1d2c3e-0000-4000-8000-000000000001")


def event(description: str, severity: Severity, metadata: dict | None = None) -> ImportableEvent:
    return ImportableEvent(
        id=uuid4(),
        acted_upon=RESOURCE,
        category="connection",
        action="ping",
        severity=severity,
        description=description,
        metadata=metadata,
    )


configuration = tidings_api.Configuration(host=sys.argv[1])
with tidings_api.ApiClient(configuration) as client:
    api = tidings_api.EventsApi(client)
    cause = {"ShortDescription": ["refused"], "SuggestedRemediation": ["Start the cluster"]}
    failed = event("Could not ping", Severity.ERROR, {"error": cause})
    stored = api.create_events(Publication(failed)).actual_instance
    assert stored.metadata["error"]["SuggestedRemediation"] == ["Start the cluster"], stored
    others = [event(text, Severity.SUCCESS) for text in ("one", "two")]
    batch = api.create_events(Publication(others)).actual_instance
    assert [one.description for one in batch] == ["one", "two"], batch

    page = api.list_events(sort="created_at", order="desc", pagesize=10)
    assert [one.description for one in page.events] == ["two", "one", "Could not ping"], page
    errors = api.list_events(severity=["error"])
    assert [one.id for one in errors.events] == [failed.id], errors

    api.mark_event(failed.id, MarkOne(status=Status.READ))
    assert api.get_event(failed.id).status == Status.READ
    ids = [one.id for one in others]
    api.mark_events(MarkSeveral(MarkNamed(ids=ids, status=Status.READ)))
    api.delete_events(DeleteSeveral(DeleteNamed(ids=ids)))
    api.delete_event(failed.id)
    try:
        api.get_event(failed.id)
        raise AssertionError("the event is still there")
    except tidings_api.ApiException as error:
        assert error.status == 404, error
print("ok")
