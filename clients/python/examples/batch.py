"""Publishes several events, each by itself."""

import os
from uuid import NAMESPACE_URL, uuid5

from tidings import Client, NewEvent, Severity

builder = NewEvent().for_caller().acted_upon(uuid5(NAMESPACE_URL, "shop"))
builder.with_category("deployment").with_action("apply").with_severity(Severity.SUCCESS)

with Client(os.environ["TIDINGS_URL"]) as client:
    services = ["cart", "search", "checkout"]
    events = [builder.with_description(f"Deployed {service}").build() for service in services]
    for service, outcome in zip(services, client.publish_each(events)):
        if outcome.receipt is None:
            print(f"{service}: {outcome.error}")
        else:
            print("stored", outcome.receipt.event.id)
