"""A real server, and a proxy that loses responses."""

from __future__ import annotations

import base64
import hmac
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from blocking import ClientUnderTest, make_client

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("TIDINGS_BINARY", str(ROOT / "target/debug/tidings"))
LOCAL_USER = "6c6f6361-6c00-4000-8000-000000000001"


def free_port() -> int:
    """Returns a port below the kernel's ephemeral ones.

    A client that connects to an ephemeral port while no server listens can be assigned the same port, and
    connect to itself.
    """
    while True:
        port = random.randrange(10_000, 20_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Server:
    """A `tidings serve` process that can be restarted with the same address and data."""

    def __init__(self, directory: Path, flags: list[str]) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        self._command = [BINARY, "serve", "--listen", self.address, "--data-dir", str(directory / "data"), *flags]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def origin(self) -> str:
        return f"http://{self.address}"

    def start(self) -> None:
        environment = os.environ | {"TIDINGS_LOG": "error"}
        self._process = subprocess.Popen(self._command, env=environment, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        line = self._process.stdout.readline().decode()
        assert line == f"listening on {self.origin}\n", line

    def end(self, signal_number: int = signal.SIGKILL) -> None:
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.communicate(timeout=60)
            self._process = None

    def send(self, method: str, path: str, body: str | None = None) -> None:
        """Sends a request that the package has no method for."""
        connection = http.client.HTTPConnection(self.address)
        connection.request(method, f"/api/system/events{path}", body, {"content-type": "application/json"})
        response = connection.getresponse()
        assert response.status < 300, response.read()
        connection.close()


class Login:
    """Makes tokens for a server."""

    def __init__(self, directory: Path) -> None:
        self._secret = directory / "secret"
        subprocess.run([BINARY, "token", "--new-secret", self._secret], check=True)
        self.flags = ["--auth", "jwt", "--jwt-secret-file", str(self._secret)]

    def token(self, seconds: int, *scopes: str) -> str:
        """Makes a token that the server accepts for a time, which is 30 seconds longer than it is valid."""
        expires = int(time.time()) + seconds - 30
        claims = {"sub": LOCAL_USER, "exp": expires, "scope": " ".join(scopes)}
        parts = [_base64(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
        secret = self._secret.read_bytes().removesuffix(b"\n")
        signature = hmac.digest(secret, ".".join(parts).encode(), "sha256")
        return ".".join([*parts, _base64(signature)])


def _base64(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


Fault = Callable[[int, BaseHTTPRequestHandler, Callable[[], tuple[int, bytes]]], bool]


class Proxy:
    """Forwards requests to a server unless a function handles them; it is given the number of the request."""

    def __init__(self, target: str, fault: Fault) -> None:
        self.requests = 0
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                proxy.requests += 1
                body = self.rfile.read(int(self.headers.get("content-length", 0)))

                def forward() -> tuple[int, bytes]:
                    connection = http.client.HTTPConnection(target)
                    headers = {"content-type": self.headers.get("content-type", "")} if body else {}
                    connection.request(self.command, self.path, body or None, headers)
                    response = connection.getresponse()
                    status, answer = response.status, response.read()
                    connection.close()
                    return status, answer

                if not fault(proxy.requests, self, forward):
                    status, answer = forward()
                    self.send_response(status)
                    self.send_header("content-length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            do_GET = do_POST = do_PUT = handle_any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts a server with flags."""
    servers: list[Server] = []

    def start(*flags: str) -> Server:
        servers.append(Server(tmp_path, list(flags)))
        return servers[-1]

    yield start
    for server in servers:
        server.end()


@pytest.fixture
def server(begin: Callable[..., Server]) -> Server:
    return begin()


@pytest.fixture
def login(tmp_path: Path) -> Login:
    return Login(tmp_path)


@pytest.fixture
def proxy(server: Server) -> Iterator[Callable[[Fault], Proxy]]:
    proxies: list[Proxy] = []

    def start(fault: Fault) -> Proxy:
        proxies.append(Proxy(server.address, fault))
        return proxies[-1]

    yield start
    for one in proxies:
        one.close()


@pytest.fixture(params=["blocking", "asyncio"])
def connect(request: pytest.FixtureRequest) -> Iterator[Callable[..., ClientUnderTest]]:
    """Makes a client; both kinds have the same methods here."""
    clients: list[ClientUnderTest] = []

    def make(server: str, **options: Any) -> ClientUnderTest:
        clients.append(make_client(request.param, server, options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()
