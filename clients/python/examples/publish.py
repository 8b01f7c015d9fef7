"""Publishes an event, and then reports progress in place."""

import os
from uuid import UUID, uuid5

from tidings import Client, NewEvent, NewUpdate, Severity

USER = UUID("6c6f6361-6c00-4000-8000-000000000001")
# A resource without a UUID gets one of its name.
CLUSTER = uuid5(USER, "kind")

with Client(os.environ["TIDINGS_URL"], retry_for=10) as client:
    event = (
        NewEvent()
        .acted_upon(CLUSTER)
        .from_user(USER)
        .with_category("connection")
        .with_action("register")
        .with_severity(Severity.INFORMATIONAL)
        .with_description("Registering the cluster kind")
        .build()
    )
    receipt = client.publish(event)
    print("stored", receipt.event.id)

    done = NewUpdate(event.id).from_user(USER).with_severity(Severity.SUCCESS)
    done.with_description("Registered the cluster kind").with_metadata({"progress": 100})
    client.update(done.with_sequence(100).build())
