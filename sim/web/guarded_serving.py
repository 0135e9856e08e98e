"""A gate in front of a server of the `websockets` library that other code starts."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import websockets.asyncio.server as library
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from fb_ros.errors import FbRosError
from sim.web.gate import HEADERS, Gate

_LOG = logging.getLogger("fb_ros.web")
# Connections that send no HTTP request, such as port scans, are not worth a log line.
logging.getLogger("websockets").setLevel(logging.CRITICAL)


@contextmanager
def guarded(gate: Gate) -> Iterator[None]:
    """Puts `gate` in front of the server that is started within; viser has no hook for it.

    Raises:
        FbRosError: no server was started in the way that this function expects.
    """
    serve, started = library.serve, []

    def serve_guarded(*arguments: Any, process_request: Any, **options: Any) -> Any:
        def process(connection: Any, request: Request) -> Response | None:
            refusal = gate.refuse(request.headers)
            response: Response | None
            if refusal is None:
                response = process_request(connection, request)
            else:
                body = refusal.body.encode()
                headers = Headers({"Content-Type": refusal.kind, "Content-Length": str(len(body))})
                response = Response(refusal.status.value, refusal.status.phrase, headers, body)
            if response is not None:
                response.headers.update(HEADERS)
            elif not gate.local:
                _LOG.warning("%s may move the robot now", connection.remote_address[0])
            return response

        started.append(True)
        return serve(*arguments, process_request=process, **options)

    library.serve = serve_guarded  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        library.serve = serve  # type: ignore[misc]
    if not started:
        raise FbRosError("this viser starts its server in a way that the page cannot guard")
