"""The client for `asyncio`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

import httpx

from . import _flows
from ._answers import Outcome, Page, Receipt
from ._backoff import Retries
from ._builder import SYSTEM, DraftEvent, Update, uuid_of
from ._error import TidingsError, rejection
from ._flows import Answer, Call, Flow
from ._follower import SILENCE_LIMIT, Follower, stream_ended, stream_silent
from ._frame import Frame
from ._settings import REQUEST_TIMEOUT, STREAM_ERROR_BYTES, Settings
from ._token import checked, source_failed

T = TypeVar("T")


class AsyncClient:
    """Sends requests to one server. All tasks of an event loop can use it.

    `token` is a token, or a function that returns the current one, possibly as an awaitable, such as `token_file(path)`; it is called
    for each request and each connection of a stream. `http` sends the requests, for example with certificates
    or a proxy of your own; by default the client uses no proxy. A request is repeated for `retry_for` seconds
    after temporary failures. `allow_plain_http` permits sending a token unencrypted to another machine.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | Callable[[], str | Awaitable[str]] | None = None,
        http: httpx.AsyncClient | None = None,
        retry_for: float = 60.0,
        allow_plain_http: bool = False,
    ) -> None:
        self._settings = Settings(server, token is not None, allow_plain_http)
        self._source = token
        # A proxy from the environment would also receive requests to the loopback address.
        self._http = http if http is not None else httpx.AsyncClient(trust_env=False)
        self._retry_for = retry_for

    async def publish(self, event: DraftEvent) -> Receipt:
        """Publishes an event. Repeats the request after temporary failures; the server stores the event once.

        After an error that is temporary, publish the same event again, not a new one.
        """
        return await self._run(_flows.publish(event))

    async def publish_batch(self, events: Iterable[DraftEvent]) -> list[Receipt]:
        """Publishes all of the events or none, in one request of at most 1,000 events and 4 MiB by default."""
        return await self._run(_flows.publish_batch(events))

    async def publish_each(self, events: Iterable[DraftEvent]) -> list[Outcome]:
        """Publishes any number of events, each by itself, in as few requests as possible.

        Returns an outcome for each, in their order.
        """
        return await self._run(_flows.publish_each(events))

    async def update(self, change: Update) -> Receipt:
        """Replaces severity, description and metadata of a published event.

        Repeats the request after temporary failures: with a sequence, a repeat never undoes a later update.
        """
        return await self._run(_flows.update(change))

    async def retract(self, event: UUID | str, user: UUID | str) -> None:
        """Takes back an event that was published to a user: it disappears from their inbox, for good."""
        await self._run(_flows.retract(uuid_of(event, "event"), str(uuid_of(user, "user"))))

    async def retract_for_all(self, event: UUID | str) -> None:
        """Takes back an event of the system: it disappears from every inbox, for good."""
        await self._run(_flows.retract(uuid_of(event, "event"), SYSTEM))

    async def list_events(self, **parameters: Any) -> Page:
        """Reads a page of the caller's events and the system's; docs/api.md lists the parameters."""
        return await self._run(_flows.list_events(parameters))

    def follow(self, start: str = "") -> AsyncStream:
        """Returns a stream that begins after a cursor, at `EARLIEST`, or now."""
        return AsyncStream(self, start)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self, flow: Flow[T]) -> T:
        try:
            call = next(flow)
            while True:
                try:
                    answer = await self._send(call)
                except TidingsError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    async def _send(self, call: Call) -> Answer:
        retries = Retries(self._retry_for)
        while True:
            try:
                return await self._attempt(call)
            except TidingsError as error:
                wait = retries.wait_after(error)
            await asyncio.sleep(wait)

    async def _attempt(self, call: Call) -> Answer:
        request = self._settings.request(self._http, call, await self._token())
        try:
            response = await self._http.send(request, follow_redirects=False)
        except httpx.HTTPError as error:
            raise self._settings.lost(error, call) from error
        if response.status_code >= 300:
            raise rejection(response.status_code, response.headers, response.content)
        return Answer(response.status_code, response.content)

    async def _token(self) -> str | None:
        if self._source is None:
            return None
        try:
            text = self._source() if callable(self._source) else self._source
            if not isinstance(text, str):
                text = await text
        except Exception as error:
            raise source_failed() from error
        return checked(text)


class AsyncStream:
    """The live stream of the caller's events and the system's, from `AsyncClient.follow`: an endless asynchronous iterator.

    It reconnects and resumes by itself, without missing or repeating a frame, and never gives up on a server
    that is only unreachable. It raises a `TidingsError` that another attempt cannot resolve; iterating again
    continues. `close` ends the connection.
    """

    def __init__(self, client: AsyncClient, start: str) -> None:
        self._client = client
        self._follower = Follower(start)
        self._cursor = start
        self._frames = self._run()

    @property
    def cursor(self) -> str:
        """The position after the last frame. `follow` continues from here, also in another process."""
        return self._cursor

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Frame:
        try:
            frame = await anext(self._frames)
        except BaseException:
            # An interrupt can come after the follower has read a frame and before the caller has it.
            self._follower.cursor = self._cursor
            self._frames = self._run()
            raise
        self._cursor = frame.cursor
        return frame

    async def close(self) -> None:
        """Ends the connection."""
        await self._frames.aclose()
        self._frames = self._run()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _run(self) -> AsyncGenerator[Frame, None]:
        follower = self._follower
        while True:
            await asyncio.sleep(follower.wait)
            follower.wait = 0.0
            try:
                # An inner generator is not closed with the outer one.
                async with aclosing(self._connection()) as frames:
                    async for frame in frames:
                        yield frame
                error = stream_ended(self._client._settings.server)
            except TidingsError as failure:
                error = failure
            yield follower.lost(error, await self._another_token(error))

    async def _connection(self) -> AsyncGenerator[Frame, None]:
        """The frames of one connection."""
        client, follower = self._client, self._follower
        follower.token = await client._token()
        call = Call("GET", follower.path())
        request = client._settings.request(client._http, call, follower.token)
        request.headers.update(follower.headers())
        request.extensions["timeout"] = httpx.Timeout(REQUEST_TIMEOUT, read=SILENCE_LIMIT).as_dict()
        is_open = False
        try:
            response = await client._http.send(request, stream=True, follow_redirects=False)
            try:
                if not follower.is_stream(response.status_code, response.headers):
                    body = await _bounded(response.aiter_bytes())
                    raise follower.refused(response.status_code, response.headers, body)
                is_open = True
                async for piece in response.aiter_raw():
                    for frame in follower.feed(piece):
                        yield frame
            finally:
                await response.aclose()
        except httpx.ReadTimeout as error:
            raise (stream_silent() if is_open else client._settings.lost(error, call)) from error
        except httpx.HTTPError as error:
            raise client._settings.lost(error, call) from error

    async def _another_token(self, error: TidingsError) -> str | TidingsError | None:
        if not self._follower.needs_token(error):
            return None
        try:
            return await self._client._token()
        except TidingsError as without:
            return without


async def _bounded(pieces: AsyncIterator[bytes]) -> bytes:
    body = b""
    async for piece in pieces:
        body += piece
        if len(body) > STREAM_ERROR_BYTES:
            break
    return body
