"""The log: for people on a terminal, JSON lines elsewhere, and never a secret in it."""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Literal, TextIO

import structlog

from secure_export.telemetry.shown import shown

Format = Literal["auto", "console", "json"]
Level = Literal["debug", "info", "warning", "error"]

REDACTED = "[redacted]"
_SECRET_NAMES = ("authorization", "password", "passwd", "secret", "token", "api_key", "cookie", "private_key")
_NOT_SECRET = frozenset({"token_id", "token_version", "tokens", "fencing_token"})
_COMPACT_TOKEN = re.compile(r"\beyJ[\w-]{10,}\.[\w-]+\.[\w-]*")


def set_up_logging(log_format: Format = "auto", level: Level = "info", *, stream: TextIO | None = None) -> None:
    """Have every log line of this process written to standard error, those of libraries included."""
    out = stream or sys.stderr
    as_console = log_format == "console" or (log_format == "auto" and out.isatty())
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=_endings(as_console=as_console, out=out)
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def _endings(*, as_console: bool, out: TextIO) -> list[structlog.types.Processor]:
    safe: list[structlog.types.Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,  # here, so that what follows sees tracebacks as text
        redact,
    ]
    if as_console:
        # The plain traceback: the rich one shows local variables, and with them secrets.
        plain = structlog.dev.plain_traceback
        return [*safe, harmless, structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=plain)]
    return [*safe, structlog.processors.JSONRenderer(default=str)]


def harmless(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take out of texts what a terminal would obey; whatever is no text is written as ``repr`` does, which is safe."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = shown(value, keep="\n" if key == "exception" else "")
    return event


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of keys that name a secret, at any depth, and whatever looks like a signed token."""
    for key in list(event):
        event[key] = _redacted(key, event[key])
    return event


def _redacted(key: str, value: Any) -> Any:
    if _names_secret(key):
        return REDACTED
    if isinstance(value, str):
        return _COMPACT_TOKEN.sub(REDACTED, value)
    if isinstance(value, Mapping):
        return {str(inner): _redacted(str(inner), one) for inner, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted("", one) for one in value]
    return value


def _names_secret(key: str) -> bool:
    lowered = key.lower()
    return lowered not in _NOT_SECRET and any(name in lowered for name in _SECRET_NAMES)
