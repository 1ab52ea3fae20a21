"""The HTTP server, inside the event loop that delivery shares (see ``docs/decisions/0003-http-server.md``)."""

from secure_export.server.serving import serve_asgi
from secure_export.server.tls import TlsFiles

__all__ = ["TlsFiles", "serve_asgi"]
