"""What watches a service: the log (JSON, never bodies or personal data), and the thread through one walk's events."""

from __future__ import annotations

import logging
import secrets
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import structlog

correlation_id: ContextVar[UUID | None] = ContextVar("correlation_id", default=None)
traceparent: ContextVar[str | None] = ContextVar("traceparent", default=None)

_ONCE_IN: Final = 10.0
"""Seconds in which a library's line is written once."""
_REMEMBERED: Final = 1_000
"""Different lines of libraries; beyond so many all are written anew."""

_NEVER_LOGGED = frozenset(
    {
        "name",
        "email",
        "phone",
        "address",
        "postcode",
        "words",
        "answers",
        "token",
        "secret",
        "password",
        "key",
        "value",
        "data",
        "body",
        "contact",
        "meeting_place",
    }
)


def current_correlation() -> UUID | None:
    """The correlation id of the request or event being handled."""
    return correlation_id.get()


def current_traceparent() -> str | None:
    """The W3C traceparent of the request or event being handled."""
    return traceparent.get()


def new_traceparent() -> str:
    """A W3C trace context (level 1, §3.2) of a new trace, sampled."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def _redact(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    for field in line.keys() & _NEVER_LOGGED:
        line[field] = "[redacted]"
    return line


def _thread(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    current = correlation_id.get()
    if current is not None:
        line["correlation_id"] = str(current)
    return line


def _fault_without_data(_: Any, __: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """An exception by class and place alone: messages of drivers and validators may quote what they refused."""
    fault = line.pop("exc_info", None)
    if fault is True:
        fault = sys.exc_info()
    if isinstance(fault, BaseException):
        fault = (type(fault), fault, fault.__traceback__)
    if fault and fault[0] is not None:
        line["fault"] = fault[0].__name__
        frames = []
        trace = fault[2]
        while trace is not None:
            frames.append(f"{trace.tb_frame.f_globals.get('__name__')}:{trace.tb_lineno}")
            trace = trace.tb_next
        line["at"] = frames[-6:]
    return line


@dataclass(slots=True)
class _Told:
    """When a line was written last, and how often it was not since."""

    at: float
    unsaid: int = 0


class _Forward(logging.Handler):
    """Libraries' log lines, by logger and level; their messages may hold data, so only warnings and worse are kept,
    and of those the unformatted template.

    The same line is written once in a while, and the next one says how many were not: a client that tries a broker a
    thousand times a second would fill the disk with it.
    """

    def __init__(self, level: int, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(level)
        self._clock = clock
        self._told: dict[tuple[object, ...], _Told] = {}

    def emit(self, record: logging.LogRecord) -> None:
        template, now = str(record.msg)[:200], self._clock()
        fault = record.exc_info[0] if record.exc_info else None
        told = self._told.get(line := (record.name, record.levelno, template, fault))
        if told is not None and now < told.at + _ONCE_IN:
            told.unsaid += 1
            return
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[line] = _Told(now)
        again = {"unsaid": told.unsaid} if told is not None and told.unsaid else {}
        structlog.get_logger(record.name).log(
            record.levelno, "library", template=template, exc_info=record.exc_info, **again
        )


def configure_logging(service: str, level: str = "INFO") -> None:
    """JSON lines on standard output, times in UTC, bound to the service's name."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _thread,
            _redact,
            _fault_without_data,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(service=service)
    root = logging.getLogger()
    root.handlers = [_Forward(level=logging.WARNING)]
    root.setLevel(logging.WARNING)


def log(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger bound to its module's name."""
    bound: structlog.typing.FilteringBoundLogger = structlog.get_logger(module=name)
    return bound
