"""The server: a socket, an event loop, a pool of threads, and their beginning and end.

Theory of operation. The socket is bound by whoever makes a Server, so an address in use is an error
there and then, and the port is known. The loop runs in a thread of its own (`serve`) or in the
caller's (`serve_forever`). It ends in this order: no new connections; requests that were taken in
are answered; connections are closed; the pool is empty; the database is synced. So every
acknowledged write is on the disk when the function returns.

Threads: `close` from any, also twice. The loop's thread alone touches connections.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import logging
import os
import resource
import signal
import socket
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from hashrange.database import Database, open
from hashrange.endpoint.dispatch import Dispatcher, HttpRequest, Later

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from hashrange.endpoint.protocol import Connection

BACKLOG = 1024
CONNECTIONS_MAX = 4096
FILES_SPARED = 64               # descriptors that are left to the database and the program
HELD_BYTES_MAX = 512 << 20      # of requests that have arrived in part, beyond 64 KiB each
POOL_THREADS = 16               # that many durable writes share a sync
CLOSE_TIMEOUT_S = 10            # for requests under way, and for clients to take their answers
POLL_S = 0.01
NO_HTTPTOOLS = (
    "the HTTP endpoint needs the package httptools: pip install 'hashrange[server]' "
    "(or pip install httptools)"
)

logger = logging.getLogger("hashrange.endpoint")

# Servers that run: ended at exit, before their databases are.
_open: weakref.WeakSet[Server] = weakref.WeakSet()


class Server:
    """A database behind HTTP. `serve` makes one; `with` or `close()` ends it.

    url: what to give to a client as endpoint_url. host, port: where it listens.
    """

    def __init__(self, database: Database, host: str, port: int, *, owned: bool = False) -> None:
        self.protocol = protocol_class()
        self.database = database
        self.owned = owned
        self.socket = listen(host, port)
        self.host, self.port = self.socket.getsockname()[:2]
        self.dispatcher = Dispatcher(database)
        self.connections: set[Connection] = set()
        self.connections_max = connections_max()
        self.held_bytes = 0
        self.held_bytes_max = HELD_BYTES_MAX
        self.pool = ThreadPoolExecutor(POOL_THREADS, "hashrange-endpoint")
        self.loop = new_loop()
        self.stopping = asyncio.Event()
        self.thread: threading.Thread | None = None
        self.close_lock = threading.Lock()
        self.closed = False
        self.failure: BaseException | None = None    # what ended the loop
        _open.add(self)

    @property
    def url(self) -> str:
        """The address, as `http://127.0.0.1:8000`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    def __repr__(self) -> str:
        return f"<hashrange.Server {self.url}{' closed' if self.closed else ''}>"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer what was taken in, and end. The database stays open unless serve() made it."""
        with self.close_lock:
            if self.closed:
                return
            self.closed = True
            if self.thread is not None and self.thread is not threading.current_thread():
                with contextlib.suppress(RuntimeError):    # the loop has ended by itself
                    self.loop.call_soon_threadsafe(self.stopping.set)
                self.thread.join()
            self.release()

    # -- running

    def start(self) -> None:
        """Run the loop in a thread; return when connections are accepted."""
        ready = threading.Event()

        def main() -> None:
            try:
                self.run_loop(ready.set)
            except BaseException as error:
                self.failure = error
                raise
            finally:
                ready.set()

        self.thread = threading.Thread(target=main, name="hashrange-server", daemon=True)
        self.thread.start()
        ready.wait()
        if self.failure is not None:
            raise self.failure

    def run_loop(self, ready: Callable[[], object], *, signals: bool = False) -> None:
        """Run until stopped. ready: called when connections are accepted."""
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_until_complete(self.run(ready, signals=signals))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            asyncio.set_event_loop(None)

    async def run(self, ready: Callable[[], object], *, signals: bool) -> None:
        """Serve until `stopping` is set."""
        if signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                self.loop.add_signal_handler(number, self.stopping.set)
        listener = await self.loop.create_server(
            lambda: self.protocol(self), sock=self.socket, backlog=BACKLOG
        )
        clock = self.loop.create_task(self.tick())
        ready()
        try:
            await self.stopping.wait()
        finally:
            clock.cancel()
            listener.close()
            await self.end_connections()
            if signals:
                for number in (signal.SIGTERM, signal.SIGINT):
                    self.loop.remove_signal_handler(number)

    async def tick(self) -> None:
        """Tell connections that time goes by."""
        while True:
            await asyncio.sleep(1)
            self.dispatcher.second()
            for connection in list(self.connections):
                connection.second()

    async def end_connections(self) -> None:
        """Let connections end, then end them."""
        for connection in list(self.connections):
            connection.end()
        deadline = self.loop.time() + CLOSE_TIMEOUT_S
        while self.connections and self.loop.time() < deadline:
            await asyncio.sleep(POLL_S)
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)

    def release(self) -> None:
        """Give everything back; what was written is on the disk then."""
        self.pool.shutdown()
        if not self.loop.is_closed():
            self.loop.close()
        self.socket.close()
        if self.owned:
            self.database.close()
        elif self.database.engine.writable and self.database.engine.refusal is None:
            self.database.sync()

    # -- for connections

    def welcome(self, connection: Connection) -> bool:
        """Take in a connection, unless there are too many or the server ends."""
        if len(self.connections) >= self.connections_max or self.stopping.is_set():
            return False
        self.connections.add(connection)
        return True

    def send_away(self, connection: Connection, request: HttpRequest, work: Later) -> None:
        """Have a thread make the answer to a request."""

        def run() -> None:
            done: Callable[[], None]
            try:
                done = partial(connection.answered, request, work())
            except BaseException:           # out of memory, say: its client must not wait for ever
                logger.exception("a request was not answered")
                done = connection.unanswered
            with contextlib.suppress(RuntimeError):    # the loop has ended without waiting
                self.loop.call_soon_threadsafe(done)

        try:
            self.pool.submit(run)
        except RuntimeError:                # the interpreter ends
            self.loop.call_soon(connection.unanswered)


def serve(
    db: Database | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Server:
    """Serve a database over HTTP from a thread of this process, and return the Server.

    db: None makes a new database in memory, which ends with the server. port: 0 takes a free one;
    see `Server.url`. Whoever reaches the address may use the database: signatures are not checked.
    Raises OSError when the address cannot be had, ImportError without the package httptools.
    """
    protocol_class()                    # before a database is made for nothing
    owned = db is None
    database = open() if db is None else db
    try:
        server = Server(database, host, port, owned=owned)
    except BaseException:
        if owned:
            database.close()
        raise
    try:
        server.start()
    except BaseException:
        server.close()
        raise
    return server


def serve_forever(
    db: Database,
    host: str = "127.0.0.1",
    port: int = 8000,
    *,
    ready: Callable[[Server], object] | None = None,
) -> None:
    """Serve a database over HTTP in this thread, the main one, until SIGTERM or SIGINT.

    Requests under way are answered, then the database is synced; it stays open. ready: called with
    the Server when connections are accepted. Raises as `serve`.
    """
    server = Server(db, host, port)
    try:
        server.run_loop(lambda: ready and ready(server), signals=True)
    finally:
        server.close()


def protocol_class() -> type[Connection]:
    """Return Connection. Raises ImportError that says what is missing."""
    try:
        from hashrange.endpoint.protocol import Connection
    except ModuleNotFoundError as error:
        if error.name != "httptools":
            raise
        raise ImportError(NO_HTTPTOOLS, name="httptools") from None
    return Connection


def connections_max() -> int:
    """Return how many connections to take: not so many that the database cannot open a file."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return CONNECTIONS_MAX
    return max(1, min(CONNECTIONS_MAX, soft - len(os.listdir("/dev/fd")) - FILES_SPARED))


def listen(host: str, port: int) -> socket.socket:
    """Return a bound socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=BACKLOG)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return an event loop: uvloop's where that is installed."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def _close_all() -> None:
    for server in list(_open):
        server.close()


atexit.register(_close_all)
