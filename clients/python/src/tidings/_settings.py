"""What both clients have in common: the address and the requests."""

from __future__ import annotations

import ipaddress
import ssl
from urllib.parse import urlsplit

import httpx

from ._error import TidingsError, invalid_config, too_large, unreachable, untrusted
from ._flows import Call

REQUEST_TIMEOUT = 30.0
USER_AGENT = "tidings-python/0.1"
MAX_BODY_BYTES = 4 * 1024 * 1024
"""The default limit. A server responds to a larger body and closes the connection; the response can be lost."""
STREAM_ERROR_BYTES = 4 * 1024 * 1024


class Settings:
    """The address of a server."""

    def __init__(self, server: str, has_token: bool, allow_plain_http: bool) -> None:
        try:
            url = urlsplit(server)
            host = url.hostname
            httpx.URL(server)
        except (ValueError, httpx.InvalidURL):
            url, host = urlsplit(""), None
        if url.scheme not in ("http", "https") or not host:
            raise invalid_config(
                f"the server's address is {server!r}", "use an http or https address such as http://127.0.0.1:9081"
            )
        if url.username is not None or url.query or url.fragment:
            raise invalid_config(
                "the server's address has a user, a query or a fragment", "use only scheme, host, port and path"
            )
        if has_token and url.scheme == "http" and not allow_plain_http and not _is_loopback(host):
            raise invalid_config(f"the token would be sent to {host} unencrypted", "use an https address")
        self.server = server
        self._events = server.rstrip("/") + "/api/system/events"

    def request(self, http: httpx.Client | httpx.AsyncClient, call: Call, token: str | None) -> httpx.Request:
        """Makes a request."""
        headers = {"User-Agent": USER_AGENT}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if call.body is not None:
            headers["Content-Type"] = "application/json"
        timeout = httpx.Timeout(REQUEST_TIMEOUT)
        return http.build_request(
            call.method, self._events + call.path, headers=headers, content=call.body, timeout=timeout
        )

    def lost(self, error: httpx.HTTPError, call: Call) -> TidingsError:
        """The error of a request without a response."""
        size = len(call.body or b"")
        if _is_of_certificate(error):
            failure = untrusted(self.server)
        else:
            failure = too_large(size) if size > MAX_BODY_BYTES else unreachable(self.server)
        failure.__cause__ = error
        return failure


def _is_of_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
