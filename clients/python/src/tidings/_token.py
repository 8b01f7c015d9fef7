"""The token of a client, and its sources."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from ._error import TidingsError

MAX_TOKEN_BYTES = 16 * 1024
"""More than any server accepts in a header."""

_BEARER = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""RFC 6750 §2.1."""


def token_file(path: str | Path) -> Callable[[], str]:
    """Returns a source that reads the token from a file each time it is needed.

    To replace the token, rename a new file over the old one.
    """

    def read() -> str:
        # Opening a FIFO would wait for its writer.
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} is not a regular file")
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(2 * MAX_TOKEN_BYTES)

    return read


def source_failed() -> TidingsError:
    return _no_token("the source of tokens failed", "make the token readable for this program")


def checked(text: str) -> str:
    """Returns the token without white space around it."""
    token = text.strip()
    if not token:
        raise _no_token("the token is empty", "write the token into its source")
    if len(token) > MAX_TOKEN_BYTES:
        raise _no_token(f"the token is longer than {MAX_TOKEN_BYTES} bytes", "check the source of tokens")
    if not _BEARER.fullmatch(token):
        fault = "the token has characters that a bearer token cannot have"
        raise _no_token(fault, "pass only the token, made of letters, digits and -._~+/ with = at the end")
    return token


def _no_token(fault: str, remedy: str) -> TidingsError:
    message = "there is no token; nothing was sent"
    return TidingsError("token_unavailable", message, details=[fault], remedies=[remedy], local=True)
