"""Rules that need no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from blocking import started
from tidings import Client, TidingsError, new_uuid, token_file
from tidings._backoff import Backoff, Retries
from tidings._error import rejection, retry_after
from tidings._sse import SseEvent, SseParser
from tidings._token import checked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"\xef\xbb\xbfid: 1\nevent: ready\ndata: {}\n\n", [("ready", "{}", "1")]),
        (b": comment\n\nevent: x\n\nid: 2\n\ndata: a\ndata:b\ndata\n\n", [("", "a\nb\n", "2")]),
        (b"data: a\r\rdata: b\r\n\r\ndata:  c\n\n", [("", "a", ""), ("", "b", ""), ("", " c", "")]),
        (b"id: 1\nid: \0\ndata: a\n\ndata: cut", [("", "a", "1")]),
    ],
)
@pytest.mark.parametrize("size", [1, 1_000])
def test_parses_events_by_the_standard(size: int, text: bytes, expected: list[Any]) -> None:
    parser = SseParser()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    found = [event for piece in pieces for event in parser.feed(piece)]
    assert found == [SseEvent(*fields) for fields in expected]


def test_reads_retry_without_a_blank_line() -> None:
    parser = SseParser()
    assert list(parser.feed(b"retry: 2731\n")) == [] and parser.retry == 2731


@pytest.mark.parametrize(("failures", "limit"), [(0, 1), (1, 2), (3, 8), (4, 16), (5, 30), (9_000, 30)])
def test_waits_are_random_up_to_a_limit_that_doubles(failures: int, limit: float) -> None:
    waits = []
    for _ in range(2_000):
        backoff = Backoff()
        backoff.failures = failures
        waits.append(backoff.failed(TidingsError("a", "b", retry_after=1)) - 1)
    assert 0 <= min(waits) < 0.05 * limit and 0.95 * limit < max(waits) <= limit


def test_last_attempt_is_at_the_end_of_the_time() -> None:
    busy = TidingsError("overloaded", "busy", status=503)
    for _ in range(100):
        retries = Retries(0.25)
        retries._backoff.base = 1e9
        assert 0.2 < retries.wait_after(busy) <= 0.25
    with pytest.raises(TidingsError):
        Retries(0.25).wait_after(TidingsError("overloaded", "busy", status=503, retry_after=2))
    with pytest.raises(TidingsError):
        Retries(0).wait_after(busy)


@pytest.mark.parametrize(("milliseconds", "base"), [(0, 0.1), (2731, 2.731), (10**9, 300)])
def test_clamps_the_base_of_the_server(milliseconds: int, base: float) -> None:
    backoff = Backoff()
    backoff.set_server_base(milliseconds)
    assert backoff.base == base


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("", 0), ("0", 0), ("17", 17), ("61", 60), ("9" * 5_000, 60), ("-1", 0), ("1.5", 0), ("Fri, 31 Dec 2027", 0)],
)
def test_retry_after_is_whole_seconds_up_to_a_minute(text: str, seconds: float) -> None:
    assert retry_after(text) == seconds


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("", "is ''"),
        ("tidings:9081", "http or https"),
        ("http://[", "http or https"),
        ("ftp://a", "http or https"),
        ("http://user@a", "user"),
        ("https://a?b", "query"),
        ("http://a.example.org", "unencrypted"),
    ],
)
def test_rejects_addresses_that_cannot_be_used(address: str, fault: str) -> None:
    with pytest.raises(TidingsError, match=fault) as raised:
        Client(address, token="a")
    assert raised.value.code == "invalid_config" and raised.value.remedies


def test_accepts_addresses_of_this_machine_and_paths() -> None:
    for address in ("http://localhost:1", "http://[::1]:1", "http://127.0.0.9/a/", "https://a/b"):
        Client(address, token="a").close()
    Client("http://a", token="a", allow_plain_http=True).close()


@pytest.mark.parametrize(
    ("token", "fault"), [(" \n", "empty"), ("my secret", "characters"), ("a" * 20_000, "longer"), ("é", "characters")]
)
def test_does_not_send_unusable_tokens(token: str, fault: str) -> None:
    with pytest.raises(TidingsError, match=fault) as raised:
        Client("http://127.0.0.1:9", token=token).publish(started().build())
    assert raised.value.code == "token_unavailable" and "secret" not in str(raised.value)


def test_reads_the_token_of_a_file_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = token_file(path)
    for text in ("first\n", " a.b-c="):
        path.write_text(text)
        assert checked(source()) == text.strip()
    for missing in (tmp_path / "missing", tmp_path):
        with pytest.raises(TidingsError, match="not a regular file") as raised:
            Client("http://127.0.0.1:9", token=token_file(missing)).publish(started().build())
        assert raised.value.code == "token_unavailable"


@pytest.mark.parametrize("body", ["", "[]", "1", '{"error": "a"}', '{"code": null}'])
def test_error_of_another_server_is_unexpected(body: str) -> None:
    error = rejection(502, {}, body.encode())
    assert (error.code, error.status, error.temporary) == ("unexpected_response", 502, True)


def test_error_without_details_is_read() -> None:
    error = rejection(404, {}, b'{"error": "a", "code": "b", "longDescription": null}')
    assert (error.code, error.details, str(error)) == ("b", [], "rejected with status 404 (b): a")


def test_uuids_are_of_version_7_and_grow() -> None:
    ids = [new_uuid() for _ in range(100)]
    assert all(one.version == 7 and one.variant == "specified in RFC 4122" for one in ids)
    assert len(set(ids)) == 100 and ids[0].hex[:10] <= ids[-1].hex[:10]
