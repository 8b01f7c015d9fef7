"""What a client does, without the sending: generators that yield calls and receive the answers.

A flow receives the error of a call as an exception. The blocking and the asynchronous client run the same
flows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from ._answers import Outcome, Page, Receipt
from ._builder import DraftEvent, Update
from ._error import TidingsError, rejection, unexpected

MAX_BATCH_EVENTS = 1_000
MAX_BATCH_BYTES = 4 * 1024 * 1024 - MAX_BATCH_EVENTS - 2
"""The default limit, without the marks between events."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Every call can be repeated: publishes have ids, and all others set a state."""

    method: str
    path: str = ""
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a call that succeeded."""

    status: int
    body: bytes


Flow = Generator[Call, Answer, T]


def _read(answer: Answer, read: Callable[[Any], T]) -> T:
    try:
        return read(json.loads(answer.body))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise unexpected("the body cannot be read") from error


def _json(body: Mapping[str, Any]) -> bytes:
    # Lone surrogates are escaped, and the server replaces them.
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def publish(event: DraftEvent) -> Flow[Receipt]:
    answer = yield Call("POST", body=_json(event.body))
    return _read(answer, lambda body: Receipt.read(body, answer.status == 200))


def publish_batch(events: Iterable[DraftEvent]) -> Flow[list[Receipt]]:
    bodies = [_json(event.body) for event in events]
    answer = yield Call("POST", body=_array(bodies))
    receipts = _read(answer, lambda read: [Receipt.read(body, answer.status == 200) for body in read])
    if len(receipts) != len(bodies):
        raise unexpected(f"{len(bodies)} events have {len(receipts)} receipts")
    return receipts


def publish_each(events: Iterable[DraftEvent]) -> Flow[list[Outcome]]:
    outcomes: list[Outcome] = []
    part: list[bytes] = []
    down: TidingsError | None = None
    size = 0
    for event in events:
        body = _json(event.body)
        if part and (len(part) == MAX_BATCH_EVENTS or size + len(body) > MAX_BATCH_BYTES):
            down = yield from _publish_part(part, outcomes, down)
            part, size = [], 0
        part.append(body)
        size += len(body)
    if part:
        yield from _publish_part(part, outcomes, down)
    return outcomes


def _publish_part(
    bodies: list[bytes], outcomes: list[Outcome], down: TidingsError | None
) -> Flow[TidingsError | None]:
    """Publishes events in one request; if that is too large for the server, in two halves.

    `down` is the error after which further requests are pointless, since the retries of one have failed.
    """
    if down is None:
        try:
            answer = yield Call("POST", "?partial=true", _array(bodies))
            outcomes += _read(answer, lambda read: _outcomes(read["results"], len(bodies)))
            return None
        except TidingsError as error:
            if error.code == "too_large" and len(bodies) > 1:
                half = len(bodies) // 2
                down = yield from _publish_part(bodies[:half], outcomes, None)
                return (yield from _publish_part(bodies[half:], outcomes, down))
            outcomes += [Outcome(None, error) for _ in bodies]
            return error if error.temporary else None
    outcomes += [Outcome(None, down) for _ in bodies]
    return down


def _outcomes(results: list[Any], count: int) -> list[Outcome]:
    if len(results) != count:
        raise ValueError(f"{count} events have {len(results)} results")
    return [_outcome(result) for result in results]


def _outcome(result: Mapping[str, Any]) -> Outcome:
    if "error" in result:
        return Outcome(None, rejection(int(result["status"]), {}, json.dumps(result["error"]).encode()))
    body = dict(result["event"], warnings=result.get("warnings", []))
    return Outcome(Receipt.read(body, result["status"] == 200), None)


def update(change: Update) -> Flow[Receipt]:
    answer = yield Call("PUT", f"/{change.id}", _json(change.body))

    def read(body: Mapping[str, Any]) -> Receipt:
        outdated = any(warning["code"] == "outdated" for warning in body.get("warnings", []))
        return Receipt.read(body, outdated)

    return _read(answer, read)


def retract(event: UUID, owner: str) -> Flow[None]:
    yield Call("DELETE", f"/{event}?owner={owner}")


def list_events(parameters: Mapping[str, Any]) -> Flow[Page]:
    answer = yield Call("GET", "?" + urlencode(parameters, doseq=True))
    return _read(answer, Page.read)


def _array(bodies: list[bytes]) -> bytes:
    return b"[" + b",".join(bodies) + b"]"
