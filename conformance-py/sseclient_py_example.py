"""The README's example of sseclient-py: prints what each message carries."""

import json
import sys

import requests
import sseclient

response = requests.get(sys.argv[1], stream=True, headers={"Accept": "text/event-stream"})
client = sseclient.SSEClient(response)
for event in client.events():
    print(json.dumps({"name": event.event, "data": json.loads(event.data), "cursor": event.id}), flush=True)
