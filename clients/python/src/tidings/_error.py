"""The error of every request and stream."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

MAX_RETRY_AFTER = 60.0
"""The most seconds that a server can ask a client to wait."""


class TidingsError(Exception):
    """What failed, and what to do.

    `code` is a stable word for programs. The codes of the server are listed in docs/api.md, with a `status`.
    Those of the client have the status 0: `invalid_event`, `invalid_config`, `unreachable`,
    `untrusted_certificate`, `too_large`, `token_unavailable`, `unexpected_response`, `stream_ended` and `stream_silent`.
    `details` has one text for each fault, and `remedies` what to do, in the same order.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        details: Sequence[str] = (),
        remedies: Sequence[str] = (),
        retry_after: float = 0.0,
        temporary: bool = False,
        in_frame: bool = False,
        local: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = list(details)
        self.remedies = list(remedies)
        self.retry_after = retry_after
        """The seconds that the server asks to wait."""
        self._temporary = temporary
        self._in_frame = in_frame
        self._local = local

    def __str__(self) -> str:
        text = self.message
        if self.status:
            text = f"rejected with status {self.status} ({self.code}): {text}"
        if self.details:
            text += ": " + "; ".join(self.details)
        if self.__cause__ is not None and str(self.__cause__):
            text += f": {self.__cause__}"
        if self.remedies:
            text += ": " + "; ".join(self.remedies)
        return text

    @property
    def temporary(self) -> bool:
        """Whether the same request can succeed later."""
        if self.status:
            return self.status >= 500 or self.status in (408, 429)
        return self._temporary

    @property
    def in_frame(self) -> bool:
        """Whether a frame of a stream could not be read."""
        return self._in_frame

    @property
    def local(self) -> bool:
        """Whether the operator of this machine can fix the cause."""
        return self._local

    @property
    def needs_another_token(self) -> bool:
        return self.code in ("token_missing", "token_expired", "token_revoked")


def invalid_event(fault: str, remedy: str) -> TidingsError:
    message = "the event is invalid; nothing was sent"
    return TidingsError("invalid_event", message, details=[fault], remedies=[remedy])


def invalid_config(fault: str, remedy: str) -> TidingsError:
    return TidingsError("invalid_config", "the client cannot be made", details=[fault], remedies=[remedy])


def unexpected(fault: str, *, in_frame: bool = False) -> TidingsError:
    return TidingsError(
        "unexpected_response",
        "the response is not one of Tidings",
        details=[fault],
        remedies=["check the server's address and the proxies before it"],
        in_frame=in_frame,
    )


def unreachable(server: str) -> TidingsError:
    return TidingsError(
        "unreachable",
        f"no connection to {server}",
        remedies=["check that the server runs and that its address is right"],
        temporary=True,
    )


def untrusted(server: str) -> TidingsError:
    return TidingsError(
        "untrusted_certificate",
        f"the certificate of {server} is not trusted; nothing was sent",
        remedies=["if a private authority issued it, pass an httpx client that trusts it"],
        local=True,
    )


def too_large(size: int) -> TidingsError:
    return TidingsError(
        "too_large",
        "the server closed the connection",
        details=[f"the body has {size} bytes, and a server accepts 4 MiB (4194304 bytes) by default"],
        remedies=["send less; if the limit of the server is higher, send it again"],
    )


def rejection(status: int, headers: Mapping[str, str], body: bytes) -> TidingsError:
    """Reads an error response."""
    wait = retry_after(headers.get("retry-after", "")) if status in (429, 503) else 0.0
    try:
        read = json.loads(body)
        code, message = str(read["code"]), str(read["error"])
        details, remedies = _texts(read, "longDescription"), _texts(read, "suggestedRemediation")
    except (ValueError, TypeError, KeyError, AttributeError):
        code, message, details = "unexpected_response", "the response is not one of Tidings", []
        remedies = ["check the server's address and the proxies before it"]
    return TidingsError(
        code, message, status=status, details=details, remedies=remedies, retry_after=wait
    )


def _texts(body: Mapping[str, Any], field: str) -> list[str]:
    return [str(text) for text in body.get(field) or ()]


def retry_after(text: str) -> float:
    """Reads whole seconds. A date is ignored, since it needs synchronized clocks."""
    is_number = text.isascii() and text.isdigit()
    return min(float(text[:10]), MAX_RETRY_AFTER) if is_number else 0.0
