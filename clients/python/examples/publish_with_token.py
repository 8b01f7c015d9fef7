"""Publishes with a token from a file."""

import os
from uuid import NAMESPACE_URL, uuid5

from tidings import Client, NewEvent, Severity, TidingsError, token_file

source = token_file(os.environ["TIDINGS_TOKEN_FILE"])
with Client(os.environ["TIDINGS_URL"], token=source) as client:
    event = NewEvent().acted_upon(uuid5(NAMESPACE_URL, "shop")).with_category("deployment")
    event.with_action("apply").with_severity(Severity.WARNING).with_description("The shop is slow")
    try:
        print("stored", client.publish(event.build()).event.id)
    except TidingsError as error:
        if error.code == "insufficient_scope":
            raise SystemExit("the token must have the scope events:publish") from error
        raise
