"""Publishing and updating."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from blocking import LOCAL_USER, RESOURCE, ClientUnderTest, numbered, started, until
from conftest import Fault, Proxy, Server
from tidings import Cause, Client, FrameKind, NewEvent, NewUpdate, Severity, Status, TidingsError, new_uuid

Connect = Callable[..., ClientUnderTest]


def test_stores_the_built_event(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    builder = started()
    first = builder.build()
    second = builder.with_description("two").with_metadata({"nodes": ["a"], "ratio": 0.5}).build()
    assert first.id != second.id and first.operation_id == second.operation_id and first.id.version == 7
    receipt = client.publish(second)
    assert (receipt.event.id, receipt.event.description) == (second.id, "two")
    assert (receipt.event.owner, receipt.event.status) == (UUID(LOCAL_USER), Status.UNREAD)
    assert receipt.event.metadata == {"nodes": ["a"], "ratio": 0.5}
    assert (receipt.repeated, receipt.warnings) == (False, ())
    assert client.publish(second).repeated
    system = NewEvent().acted_upon(RESOURCE).with_category("server").with_action("upgrade").with_severity("info")
    stored = client.publish(system.build())
    assert stored.event.owner == stored.event.system_id
    assert [warning.code for warning in stored.warnings] == ["converted"]
    assert client.publish(started().for_caller().build()).event.owner == UUID(LOCAL_USER)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError


def failing() -> Exception:
    try:
        try:
            raise ConnectionRefusedError("connection refused")
        except OSError as inner:
            raise RuntimeError("could not ping") from inner
    except RuntimeError as error:
        return error


def test_metadata_that_json_cannot_hold_are_stored_as_text(server: Server, connect: Connect) -> None:
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    metadata = {
        "error": failing(),
        "object": object,
        "number": float("nan"),
        "long": 10**10_000,
        "circle": circle,
        "bytes": b"\xff",
        "none": Unprintable(),
        "\ud800": ["\ud800"],
        7: {RESOURCE},
    }
    event = started().with_severity(Severity.ERROR).with_metadata(metadata).build()  # type: ignore[arg-type]
    stored = connect(server.origin).publish(event).event.metadata
    assert stored is not None
    assert stored["error"]["ShortDescription"] == ["could not ping"]
    assert stored["error"]["LongDescription"] == ["ConnectionRefusedError: connection refused"]
    assert stored["object"] == "<class 'object'>"
    assert (stored["number"], stored["bytes"], stored["7"]) == ("nan", "\ufffd", [RESOURCE])
    assert stored["long"].startswith("0x") and "without a text" in stored["none"]


def test_keeps_a_cause_with_remedies(server: Server, connect: Connect) -> None:
    refused = TidingsError("unreachable", "refused", remedies=["start it"])
    for cause in (Cause("refused", suggested_remediation=["start it"]), refused):
        event = started().with_severity(Severity.ERROR).with_metadata({"error": cause}).build()
        stored = connect(server.origin).publish(event).event.metadata
        assert stored is not None and stored["error"]["SuggestedRemediation"] == ["start it"]
        assert "refused" in stored["error"]["ShortDescription"][0]


@pytest.mark.parametrize("user", ["", "alice", "00000000-0000-0000-0000-000000000000", None, 7])
def test_missing_user_does_not_make_an_event_for_every_user(user: Any) -> None:
    with pytest.raises(TidingsError, match="user is .*: pass the UUID") as raised:
        started().from_user(user)
    assert raised.value.code == "invalid_event"


def test_retries_a_lost_response_under_the_same_id(
    server: Server, proxy: Callable[[Fault], Proxy], connect: Connect
) -> None:
    def lose_first(number: int, request: BaseHTTPRequestHandler, forward: Callable[[], Any]) -> bool:
        if number == 1:
            forward()
            request.close_connection = True
        return number == 1

    through = proxy(lose_first)
    client = connect(through.origin)
    assert client.publish(started().build()).repeated
    assert through.requests == 2
    assert client.list_events().total_count == 1


@pytest.mark.parametrize("status", [429, 503])
def test_waits_as_retry_after_says(
    status: int, server: Server, proxy: Callable[[Fault], Proxy], connect: Connect
) -> None:
    def reject_first(number: int, request: BaseHTTPRequestHandler, forward: Callable[[], Any]) -> bool:
        if number == 1:
            request.send_response(status)
            request.send_header("retry-after", "2")
            request.send_header("content-length", "0")
            request.end_headers()
        return number == 1

    through = proxy(reject_first)
    before = time.monotonic()
    connect(through.origin).publish(started().build())
    assert through.requests == 2 and time.monotonic() - before >= 2


def test_does_not_retry_a_rejected_event(server: Server, proxy: Callable[[Fault], Proxy], connect: Connect) -> None:
    through = proxy(lambda *_: False)
    client = connect(through.origin)
    with pytest.raises(TidingsError, match="actedUpon is missing.*: give the UUID of the resource") as raised:
        client.publish(NewEvent().build())
    error = raised.value
    assert (error.status, error.code, error.temporary) == (400, "invalid_event", False)
    assert len(error.details) == len(error.remedies) > 0
    event = started().build()
    client.publish(event)
    other = type(event)(event.id, event.operation_id, {**event.body, "description": "other"})
    with pytest.raises(TidingsError) as raised:
        client.publish(other)
    assert (raised.value.status, raised.value.code) == (409, "event_conflict")
    assert through.requests == 3


@pytest.mark.parametrize("size", [5 * 2**20, 64 * 2**20])
def test_too_large_event_names_the_limit(size: int, server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    event = started().with_metadata({"log": "x" * size}).build()
    with pytest.raises(TidingsError) as raised:
        client.publish(event)
    # If the connection is lost with the response, the client names the default limit.
    assert raised.value.code == "too_large" and "4194304" in str(raised.value) and raised.value.remedies
    first, large, last = client.publish_each([started().build(), event, started().build()])
    assert first.receipt and last.receipt and large.error and large.error.code == "too_large"


def test_outlasts_a_server_that_is_away(server: Server) -> None:
    server.end()
    failed = threading.Semaphore(0)

    class Counting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            try:
                return super().handle_request(request)
            except httpx.HTTPError:
                failed.release()
                raise

    client = Client(server.origin, http=httpx.Client(transport=Counting()))
    receipts: list[bool] = []
    threads = [threading.Thread(target=lambda: receipts.append(client.publish(started().build()).repeated)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for _ in range(12):
        assert failed.acquire(timeout=60)
    server.start()
    for thread in threads:
        thread.join(60)
    assert receipts == [False] * 5
    assert client.list_events().total_count == 5
    client.close()


def test_does_not_retry_an_untrusted_certificate(tmp_path: Path, connect: Connect) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    listener = socket.create_server(("127.0.0.1", 0))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    connections: list[str] = []

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connections.append("")
            try:
                context.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()

    thread = threading.Thread(target=accept)
    thread.start()
    client = connect(f"https://127.0.0.1:{listener.getsockname()[1]}")
    try:
        with pytest.raises(TidingsError) as raised:
            client.publish(started().build())
        assert raised.value.code == "untrusted_certificate" and not raised.value.temporary
        assert len(connections) == 1
        with pytest.raises(TidingsError):
            next(client.follow())
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)


def test_gives_up_after_the_time_for_retries(connect: Connect) -> None:
    client = connect("http://127.0.0.1:9", retry_for=0)
    with pytest.raises(TidingsError) as raised:
        client.publish(started().build())
    assert raised.value.code == "unreachable" and raised.value.temporary
    outcomes = client.publish_each(numbered(0, 2_500))
    assert len(outcomes) == 2_500
    # Only the first of the three requests is sent.
    assert len({id(outcome.error) for outcome in outcomes}) == 1


def test_batch_is_stored_whole_or_not_at_all(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    receipts = client.publish_batch(numbered(0, 3))
    assert [receipt.event.description for receipt in receipts] == ["0", "1", "2"]
    with pytest.raises(TidingsError) as raised:
        client.publish_batch([*numbered(3, 5), NewEvent().with_category("a").build()])
    assert any("[2].actedUpon" in detail for detail in raised.value.details)
    with pytest.raises(TidingsError, match="more than the 1000 allowed"):
        client.publish_batch(numbered(0, 1_001))
    assert client.list_events().total_count == 3


def test_ten_thousand_events_have_an_outcome_each(begin: Callable[..., Server], connect: Connect) -> None:
    client = connect(begin("--max-batch-events", "300").origin)
    events = numbered(0, 10_000)
    events[4321] = NewEvent().with_category("a").build()
    outcomes = client.publish_each(iter(events))
    assert len(outcomes) == 10_000
    for index, (event, outcome) in enumerate(zip(events, outcomes)):
        if index == 4321:
            assert outcome.error and outcome.error.status == 400 and outcome.error.remedies
        else:
            assert outcome.receipt and outcome.receipt.event.id == event.id
    page = client.list_events(pagesize=1, severity=["success", "error"])
    assert page.total_count == 9_999 and page.next and len(page.events) == 1


def test_update_replaces_the_content_in_order(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    event = started().with_severity(Severity.INFORMATIONAL).build()
    client.publish(event)

    def update(percent: int) -> Any:
        change = NewUpdate(event.id).from_user(LOCAL_USER).with_severity(Severity.SUCCESS)
        return client.update(change.with_metadata({"progress": percent}).with_sequence(percent).build())

    receipt = update(50)
    assert receipt.event.severity == Severity.SUCCESS and receipt.event.metadata == {"progress": 50}
    assert not receipt.repeated
    receipt = update(25)
    assert receipt.repeated and receipt.event.metadata == {"progress": 50}
    server.send("PUT", f"/status/{event.id}", '{"status":"read"}')
    change = NewUpdate(event.id).for_caller().with_severity(Severity.SUCCESS).renotify().build()
    assert client.update(change).event.status == Status.UNREAD
    server.send("DELETE", f"/{event.id}")
    with pytest.raises(TidingsError) as raised:
        update(75)
    assert raised.value.code == "event_not_found"


def test_retract_takes_an_event_back(server: Server, connect: Connect) -> None:
    client = connect(server.origin)
    stream = client.follow()
    until(stream, FrameKind.LIVE)
    own = started().build()
    system = NewEvent().acted_upon(RESOURCE).with_category("a").with_action("b").with_severity(Severity.DEBUG).build()
    client.publish_batch([own, system])
    client.retract(own.id, LOCAL_USER)
    assert until(stream, FrameKind.DELETED)[0].ids == (own.id,)
    client.retract_for_all(system.id)
    assert until(stream, FrameKind.DELETED)[0].ids == (system.id,)
    # A repeat after a lost response succeeds.
    client.retract(own.id, LOCAL_USER)
    for event, user, code in ((new_uuid(), LOCAL_USER, "event_not_found"), (own.id, "", "invalid_event")):
        with pytest.raises(TidingsError) as raised:
            client.retract(event, user)
        assert raised.value.code == code
    stream.close()
