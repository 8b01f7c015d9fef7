"""The README's example of sseclient: prints what each message carries."""

import json
import sys

from sseclient import SSEClient

messages = SSEClient(sys.argv[1])
for msg in messages:
    print(json.dumps({"name": msg.event, "data": json.loads(msg.data), "cursor": msg.id}), flush=True)
