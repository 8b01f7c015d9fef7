"""The README's example of httpx-sse: prints what each message carries."""

import json
import sys

import httpx
from httpx_sse import connect_sse

with httpx.Client(timeout=None) as client:
    with connect_sse(client, "GET", sys.argv[1]) as event_source:
        for sse in event_source.iter_sse():
            print(json.dumps({"name": sse.event, "data": sse.json(), "cursor": sse.id}), flush=True)
