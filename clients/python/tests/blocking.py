"""Both clients behind one interface, so that each test runs with both."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Protocol
from uuid import UUID

from tidings import AsyncClient, AsyncStream, Client, DraftEvent, Frame, FrameKind, NewEvent, Outcome, Page, Receipt
from tidings import Severity, Update

RESOURCE = "7b1d2c3e-0000-4000-8000-000000000001"
LOCAL_USER = "6c6f6361-6c00-4000-8000-000000000001"


class StreamUnderTest(Protocol):
    @property
    def cursor(self) -> str: ...
    def __next__(self) -> Frame: ...
    def close(self) -> None: ...


class ClientUnderTest(Protocol):
    def publish(self, event: DraftEvent) -> Receipt: ...
    def publish_batch(self, events: Iterable[DraftEvent]) -> list[Receipt]: ...
    def publish_each(self, events: Iterable[DraftEvent]) -> list[Outcome]: ...
    def update(self, change: Update) -> Receipt: ...
    def retract(self, event: UUID, user: str) -> None: ...
    def retract_for_all(self, event: UUID) -> None: ...
    def list_events(self, **parameters: Any) -> Page: ...
    def follow(self, start: str = "") -> StreamUnderTest: ...
    def close(self) -> None: ...


class _Stream:
    def __init__(self, runner: asyncio.Runner, stream: AsyncStream) -> None:
        self._runner = runner
        self._stream = stream

    @property
    def cursor(self) -> str:
        return self._stream.cursor

    def __next__(self) -> Frame:
        return self._runner.run(self._stream.__anext__())

    def close(self) -> None:
        self._runner.run(self._stream.close())


class _Client:
    def __init__(self, server: str, options: dict[str, Any]) -> None:
        self._runner = asyncio.Runner()
        self._client = AsyncClient(server, **options)

    def publish(self, event: DraftEvent) -> Receipt:
        return self._runner.run(self._client.publish(event))

    def publish_batch(self, events: Iterable[DraftEvent]) -> list[Receipt]:
        return self._runner.run(self._client.publish_batch(events))

    def publish_each(self, events: Iterable[DraftEvent]) -> list[Outcome]:
        return self._runner.run(self._client.publish_each(events))

    def update(self, change: Update) -> Receipt:
        return self._runner.run(self._client.update(change))

    def retract(self, event: UUID, user: str) -> None:
        self._runner.run(self._client.retract(event, user))

    def retract_for_all(self, event: UUID) -> None:
        self._runner.run(self._client.retract_for_all(event))

    def list_events(self, **parameters: Any) -> Page:
        return self._runner.run(self._client.list_events(**parameters))

    def follow(self, start: str = "") -> _Stream:
        return _Stream(self._runner, self._client.follow(start))

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


def make_client(kind: str, server: str, options: dict[str, Any]) -> ClientUnderTest:
    return Client(server, **options) if kind == "blocking" else _Client(server, options)


def started() -> NewEvent:
    event = NewEvent().acted_upon(RESOURCE).from_user(LOCAL_USER)
    return event.with_category("connection").with_action("ping").with_severity(Severity.SUCCESS)


def numbered(first: int, end: int) -> list[DraftEvent]:
    return [started().with_description(str(number)).build() for number in range(first, end)]


def until(stream: StreamUnderTest, kind: FrameKind) -> tuple[Frame, list[Frame]]:
    """Reads frames up to the first one of a kind."""
    before: list[Frame] = []
    while (frame := next(stream)).kind != kind:
        before.append(frame)
    return frame, before
