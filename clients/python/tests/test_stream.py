"""Following the stream."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from blocking import LOCAL_USER, ClientUnderTest, numbered, started, until
from conftest import Fault, Login, Proxy, Server
from tidings import EARLIEST, AsyncClient, Client, FrameKind, NewUpdate, Severity, TidingsError, token_file

Connect = Callable[..., ClientUnderTest]


def publish_all(client: ClientUnderTest, events: list[Any]) -> None:
    assert all(outcome.receipt for outcome in client.publish_each(events))


def test_has_a_frame_for_each_change(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    stream = client.follow()
    assert until(stream, FrameKind.READY)[0].cursor
    live, before = until(stream, FrameKind.LIVE)
    assert live.unread == {} and live.read == {} and not before

    event = started().with_description("Pinged").build()
    client.publish(event)
    frame, _ = until(stream, FrameKind.EVENT)
    assert frame.event and (frame.event.id, frame.event.description) == (event.id, "Pinged")
    assert frame.cursor == stream.cursor

    client.update(NewUpdate(event.id).from_user(LOCAL_USER).with_severity(Severity.WARNING).build())
    frame, _ = until(stream, FrameKind.UPDATED)
    assert frame.event and frame.event.severity == Severity.WARNING
    assert frame.unread == {"warning": 1, "success": -1}

    server.send("PUT", f"/status/{event.id}", '{"status":"read"}')
    frame, _ = until(stream, FrameKind.STATUS)
    assert (frame.ids, frame.status, frame.read) == ((event.id,), "read", {"warning": 1})
    assert frame.updated_at and frame.system_ids == ()

    server.send("DELETE", f"/{event.id}")
    frame, _ = until(stream, FrameKind.DELETED)
    assert (frame.ids, frame.read) == ((event.id,), {"warning": -1})
    stream.close()


def test_resumes_after_a_restart(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    stream = client.follow()
    until(stream, FrameKind.LIVE)
    seen: list[str] = []
    for start, how in ((0, signal.SIGKILL), (10, signal.SIGTERM), (20, signal.SIGKILL)):
        publish_all(client, numbered(start, start + 4))
        for _ in range(2):
            frame, _ = until(stream, FrameKind.EVENT)
            seen.append(frame.event.description if frame.event else "")
        server.end(how)
        # Frames that arrived before the end are still read.
        lost, before = until(stream, FrameKind.DISCONNECTED)
        assert lost.error and lost.error.temporary and lost.cursor == stream.cursor
        server.start()
        publish_all(client, numbered(start + 4, start + 10))
        _, after = until(stream, FrameKind.LIVE)
        seen += [frame.event.description for frame in before + after if frame.event]
    assert seen == [str(number) for number in range(30)]
    stream.close()


def test_continues_from_a_cursor(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    publish_all(client, numbered(0, 5))
    first = client.follow(EARLIEST)
    for _ in range(3):
        until(first, FrameKind.EVENT)
    first.close()
    second = client.follow(first.cursor)
    _, replayed = until(second, FrameKind.LIVE)
    assert [frame.event.description for frame in replayed if frame.event] == ["3", "4"]
    assert client.list_events().cursor == second.cursor
    second.close()


def test_resets_an_unusable_cursor(server: Server, connect: Connect) -> None:
    stream = connect(server.origin).follow("yesterday")
    reset, _ = until(stream, FrameKind.RESET)
    assert reset.reason == "malformed" and reset.cursor == stream.cursor
    until(stream, FrameKind.LIVE)
    stream.close()


def test_slow_reader_misses_nothing(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    stream = client.follow()
    until(stream, FrameKind.LIVE)
    # Far more than sockets and the server's window hold, while nobody reads.
    events = [started().with_description(f"{number} {'x' * 4_000}").build() for number in range(4_000)]
    publish_all(client, events)
    for event in events:
        frame, before = until(stream, FrameKind.EVENT)
        assert frame.event and frame.event.id == event.id
        assert all(other.kind != FrameKind.DISCONNECTED for other in before)
    stream.close()


def test_cancelled_task_ends_the_stream(server: Server) -> None:
    async def follow() -> None:
        client = AsyncClient(server.origin)
        live = asyncio.Event()

        async def read() -> None:
            async with client.follow() as stream:
                async for frame in stream:
                    if frame.kind in (FrameKind.LIVE, FrameKind.DISCONNECTED):
                        live.set()

        for is_open in (True, False):
            task = asyncio.create_task(read())
            await asyncio.wait_for(live.wait(), 60)
            live.clear()
            if not is_open:
                server.end()
                await asyncio.wait_for(live.wait(), 60)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, 60)
        await client.close()

    asyncio.run(follow())


INTERRUPTED = """
import signal
import sys
from tidings import Client
# It can be ignored at the start, in a job of the background.
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    for frame in Client(sys.argv[1]).follow():
        print(frame.kind, flush=True)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_interrupt_ends_a_blocking_stream(server: Server) -> None:
    source = Path(__file__).resolve().parents[1] / "src"
    program = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, server.origin],
        env=os.environ | {"PYTHONPATH": str(source)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdout is not None
    assert [program.stdout.readline() for _ in range(2)] == ["ready\n", "live\n"]
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=60)[0] == "interrupted\n"


def test_continues_with_a_renewed_token(
    begin: Callable[..., Server], login: Login, tmp_path: Path, connect: Connect
) -> None:
    server = begin(*login.flags)
    path = tmp_path / "token"
    path.write_text(login.token(8, "events:read") + "\n")
    stream = connect(server.origin, token=token_file(path)).follow()
    publisher = connect(server.origin, token=login.token(3_600, "events:publish", "events:read"))
    until(stream, FrameKind.LIVE)
    expiring, _ = until(stream, FrameKind.EXPIRING)
    assert expiring.at
    path.write_text(login.token(3_600, "events:read") + "\n")
    publish_all(publisher, numbered(0, 2))
    _, frames = until(stream, FrameKind.READY)
    _, replayed = until(stream, FrameKind.LIVE)
    frames += replayed
    assert [frame.event.description for frame in frames if frame.event] == ["0", "1"]
    waits = [frame.retry_in for frame in frames if frame.kind == FrameKind.DISCONNECTED]
    assert waits == [0.0]
    stream.close()


def test_expired_token_ends_the_stream(begin: Callable[..., Server], login: Login, connect: Connect) -> None:
    server = begin(*login.flags)
    stream = connect(server.origin, token=login.token(4, "events:read")).follow()
    with pytest.raises(TidingsError) as raised:
        while True:
            next(stream)
    assert raised.value.code == "token_expired" and raised.value.remedies
    for token, code in ((None, "token_missing"), (login.token(3_600, "events:read"), "insufficient_scope")):
        with pytest.raises(TidingsError) as raised:
            connect(server.origin, token=token).publish(started().build())
        assert raised.value.code == code


def script(*responses: tuple[str, str]) -> tuple[Fault, list[str]]:
    """A fault of a proxy that responds to each connection of a stream as given, and the cursors that it got."""
    cursors: list[str] = []

    def respond(number: int, request: BaseHTTPRequestHandler, forward: Callable[[], Any]) -> bool:
        cursors.append(request.headers.get("last-event-id", ""))
        status, body = responses[min(number, len(responses)) - 1]
        request.send_response(int(status.split()[0]))
        request.send_header("content-type", "text/event-stream; charset=utf-8" if status == "200" else "text/html")
        request.send_header("location", "/elsewhere")
        request.end_headers()
        request.wfile.write(b"retry: 0\n" + body.encode())
        request.close_connection = True
        return True

    return respond, cursors


READY = ("200", "id: b\nevent: ready\ndata: {}\n\n")


def test_keeps_cursors_of_unknown_frames(proxy: Callable[[Fault], Proxy], connect: Connect) -> None:
    fault, cursors = script(("200", "id: a\nevent: later\ndata: ?\n\n"), READY)
    until(connect(proxy(fault).origin).follow(), FrameKind.READY)
    assert cursors == ["", "a"]


@pytest.mark.parametrize("frame", ["id: a\ndata: {\n\n", "data: {}\n\n", f"data: {'x' * 5 * 2**20}\n\n"])
def test_unreadable_frame_is_an_error_the_second_time(
    frame: str, proxy: Callable[[Fault], Proxy], connect: Connect
) -> None:
    fault, _ = script(("200", frame))
    stream = connect(proxy(fault).origin).follow()
    assert next(stream).kind == FrameKind.DISCONNECTED
    with pytest.raises(TidingsError) as raised:
        next(stream)
    assert raised.value.code == "unexpected_response"


@pytest.mark.parametrize("status", ["200 html", "404", "302"])
def test_response_that_is_not_a_stream_is_an_error(
    status: str, proxy: Callable[[Fault], Proxy], connect: Connect
) -> None:
    fault, _ = script((status, "<html>"))
    with pytest.raises(TidingsError) as raised:
        next(connect(proxy(fault).origin).follow())
    assert raised.value.code == "unexpected_response"


def test_retries_a_failure_of_a_proxy(proxy: Callable[[Fault], Proxy], connect: Connect) -> None:
    fault, _ = script(("502", ""), READY)
    stream = connect(proxy(fault).origin).follow()
    lost, _ = until(stream, FrameKind.DISCONNECTED)
    assert lost.error and lost.error.status == 502
    until(stream, FrameKind.READY)


def test_replaces_a_silent_stream(
    proxy: Callable[[Fault], Proxy], connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("_client", "_async_client"):
        monkeypatch.setattr(f"tidings.{module}.SILENCE_LIMIT", 0.1)
    fault, _ = script(READY)

    def silent(number: int, request: BaseHTTPRequestHandler, forward: Callable[[], Any]) -> bool:
        fault(number, request, forward)
        # Waits until the client ends the connection.
        request.rfile.read(1)
        return True

    stream = connect(proxy(silent).origin).follow()
    until(stream, FrameKind.READY)
    lost, _ = until(stream, FrameKind.DISCONNECTED)
    assert lost.error and lost.error.code == "stream_silent"
    until(stream, FrameKind.READY)
    stream.close()


def test_unused_client_opens_no_connection() -> None:
    client = Client("http://127.0.0.1:9")
    client.follow().close()
    client.close()
