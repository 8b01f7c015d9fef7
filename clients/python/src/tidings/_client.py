"""The blocking client."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
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


class Client:
    """Sends requests to one server. Several threads can use it.

    `token` is a token, or a function that returns the current one, such as `token_file(path)`; it is called
    for each request and each connection of a stream. `http` sends the requests, for example with certificates
    or a proxy of your own; by default the client uses no proxy. A request is repeated for `retry_for` seconds
    after temporary failures. `allow_plain_http` permits sending a token unencrypted to another machine.
    """

    def __init__(
        self,
        server: str,
        *,
        token: str | Callable[[], str] | None = None,
        http: httpx.Client | None = None,
        retry_for: float = 60.0,
        allow_plain_http: bool = False,
    ) -> None:
        self._settings = Settings(server, token is not None, allow_plain_http)
        self._source = token
        # A proxy from the environment would also receive requests to the loopback address.
        self._http = http if http is not None else httpx.Client(trust_env=False)
        self._retry_for = retry_for

    def publish(self, event: DraftEvent) -> Receipt:
        """Publishes an event. Repeats the request after temporary failures; the server stores the event once.

        After an error that is temporary, publish the same event again, not a new one.
        """
        return self._run(_flows.publish(event))

    def publish_batch(self, events: Iterable[DraftEvent]) -> list[Receipt]:
        """Publishes all of the events or none, in one request of at most 1,000 events and 4 MiB by default."""
        return self._run(_flows.publish_batch(events))

    def publish_each(self, events: Iterable[DraftEvent]) -> list[Outcome]:
        """Publishes any number of events, each by itself, in as few requests as possible.

        Returns an outcome for each, in their order.
        """
        return self._run(_flows.publish_each(events))

    def update(self, change: Update) -> Receipt:
        """Replaces severity, description and metadata of a published event.

        Repeats the request after temporary failures: with a sequence, a repeat never undoes a later update.
        """
        return self._run(_flows.update(change))

    def retract(self, event: UUID | str, user: UUID | str) -> None:
        """Takes back an event that was published to a user: it disappears from their inbox, for good."""
        self._run(_flows.retract(uuid_of(event, "event"), str(uuid_of(user, "user"))))

    def retract_for_all(self, event: UUID | str) -> None:
        """Takes back an event of the system: it disappears from every inbox, for good."""
        self._run(_flows.retract(uuid_of(event, "event"), SYSTEM))

    def list_events(self, **parameters: Any) -> Page:
        """Reads a page of the caller's events and the system's; docs/api.md lists the parameters."""
        return self._run(_flows.list_events(parameters))

    def follow(self, start: str = "") -> Stream:
        """Returns a stream that begins after a cursor, at `EARLIEST`, or now."""
        return Stream(self, start)

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, flow: Flow[T]) -> T:
        try:
            call = next(flow)
            while True:
                try:
                    answer = self._send(call)
                except TidingsError as error:
                    call = flow.throw(error)
                else:
                    call = flow.send(answer)
        except StopIteration as end:
            result: T = end.value
            return result

    def _send(self, call: Call) -> Answer:
        retries = Retries(self._retry_for)
        while True:
            try:
                return self._attempt(call)
            except TidingsError as error:
                wait = retries.wait_after(error)
            time.sleep(wait)

    def _attempt(self, call: Call) -> Answer:
        request = self._settings.request(self._http, call, self._token())
        try:
            response = self._http.send(request, follow_redirects=False)
        except httpx.HTTPError as error:
            raise self._settings.lost(error, call) from error
        if response.status_code >= 300:
            raise rejection(response.status_code, response.headers, response.content)
        return Answer(response.status_code, response.content)

    def _token(self) -> str | None:
        if self._source is None:
            return None
        try:
            text = self._source() if callable(self._source) else self._source
        except Exception as error:
            raise source_failed() from error
        return checked(text)


class Stream:
    """The live stream of the caller's events and the system's, from `Client.follow`: an endless iterator.

    It reconnects and resumes by itself, without missing or repeating a frame, and never gives up on a server
    that is only unreachable. It raises a `TidingsError` that another attempt cannot resolve; iterating again
    continues. `close` ends the connection.
    """

    def __init__(self, client: Client, start: str) -> None:
        self._client = client
        self._follower = Follower(start)
        self._cursor = start
        self._frames = self._run()

    @property
    def cursor(self) -> str:
        """The position after the last frame. `follow` continues from here, also in another process."""
        return self._cursor

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        try:
            frame = next(self._frames)
        except BaseException:
            # An interrupt can come after the follower has read a frame and before the caller has it.
            self._follower.cursor = self._cursor
            self._frames = self._run()
            raise
        self._cursor = frame.cursor
        return frame

    def close(self) -> None:
        """Ends the connection."""
        self._frames.close()
        self._frames = self._run()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> Generator[Frame, None, None]:
        follower = self._follower
        while True:
            time.sleep(follower.wait)
            follower.wait = 0.0
            try:
                yield from self._connection()
                error = stream_ended(self._client._settings.server)
            except TidingsError as failure:
                error = failure
            yield follower.lost(error, self._another_token(error))

    def _connection(self) -> Iterator[Frame]:
        """The frames of one connection."""
        client, follower = self._client, self._follower
        follower.token = client._token()
        call = Call("GET", follower.path())
        request = client._settings.request(client._http, call, follower.token)
        request.headers.update(follower.headers())
        request.extensions["timeout"] = httpx.Timeout(REQUEST_TIMEOUT, read=SILENCE_LIMIT).as_dict()
        is_open = False
        try:
            response = client._http.send(request, stream=True, follow_redirects=False)
            try:
                if not follower.is_stream(response.status_code, response.headers):
                    body = b"".join(_bounded(response.iter_bytes()))
                    raise follower.refused(response.status_code, response.headers, body)
                is_open = True
                for piece in response.iter_raw():
                    yield from follower.feed(piece)
            finally:
                response.close()
        except httpx.ReadTimeout as error:
            raise (stream_silent() if is_open else client._settings.lost(error, call)) from error
        except httpx.HTTPError as error:
            raise client._settings.lost(error, call) from error

    def _another_token(self, error: TidingsError) -> str | TidingsError | None:
        if not self._follower.needs_token(error):
            return None
        try:
            return self._client._token()
        except TidingsError as without:
            return without


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > STREAM_ERROR_BYTES:
            return
        yield piece
