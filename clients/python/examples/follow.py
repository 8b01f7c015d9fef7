"""Follows the stream, and continues where it was stopped."""

import asyncio
import os
from pathlib import Path

from tidings import AsyncClient, FrameKind

CURSOR = Path("cursor")
NEXT = Path("cursor.next")


async def follow() -> None:
    # Without the file the stream begins now.
    cursor = CURSOR.read_text() if CURSOR.exists() else ""
    async with AsyncClient(os.environ["TIDINGS_URL"]) as client, client.follow(cursor) as stream:
        async for frame in stream:
            if frame.kind == FrameKind.EVENT and frame.event:
                print(frame.event.severity, frame.event.description, flush=True)
            elif frame.kind == FrameKind.UPDATED and frame.event:
                print("updated:", frame.event.severity, frame.event.description, flush=True)
            elif frame.kind == FrameKind.LIVE:
                print("live", flush=True)
            elif frame.kind == FrameKind.RESET:
                print("reload the list:", frame.reason, flush=True)
            elif frame.kind == FrameKind.DISCONNECTED:
                print(f"{frame.error}; the next attempt is in {frame.retry_in:.1f} s", flush=True)
            # After the effect of the frame: a crash in between repeats the frame instead of losing it.
            NEXT.write_text(frame.cursor)
            NEXT.replace(CURSOR)


asyncio.run(follow())
