"""Makes JSON of metadata, whatever a program puts into them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import Any

from ._error import TidingsError

MAX_DEPTH = 32
"""The server stores 32 levels."""


@dataclass(slots=True)
class Cause:
    """The cause of a failure and its remedies: the `error` in the metadata of an event."""

    short_description: str
    code: str = ""
    long_description: list[str] = field(default_factory=list)
    probable_cause: list[str] = field(default_factory=list)
    suggested_remediation: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "Code": self.code,
            "ShortDescription": [self.short_description],
            "LongDescription": self.long_description,
            "ProbableCause": self.probable_cause,
            "SuggestedRemediation": self.suggested_remediation,
        }


def cause_of(error: BaseException) -> Cause:
    """Returns the text of an error and of those that led to it."""
    cause = Cause(str(error) or type(error).__name__)
    if isinstance(error, TidingsError):
        cause.code, cause.suggested_remediation = error.code, error.remedies
    seen = {id(error)}
    inner = error.__cause__ or error.__context__
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        cause.long_description.append(f"{type(inner).__name__}: {inner}")
        inner = inner.__cause__ or inner.__context__
    return cause


def storable(metadata: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Returns a copy that is JSON. An event that reports a failure must not be lost for a value in it."""
    return None if metadata is None else _copy_of_object(metadata, 0)


def _copy_of_object(values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    return {_text(key): _copy(value, depth + 1) for key, value in values.items()}


def _copy(value: Any, depth: int) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        # A subclass can have another text.
        return str.__str__(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        # Python does not write long integers in decimal.
        return int(value) if value.bit_length() <= 1024 else hex(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else repr(float(value))
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if depth > MAX_DEPTH:
        return "the value is nested too deeply"
    if isinstance(value, Cause):
        return value.as_json()
    if isinstance(value, BaseException):
        return _cause(value)
    if isinstance(value, Mapping):
        return _copy_of_object(value, depth)
    if isinstance(value, (Sequence, Set)):
        return [_copy(item, depth + 1) for item in value]
    return _text(value)


def _cause(error: BaseException) -> Any:
    try:
        return cause_of(error).as_json()
    except Exception:
        return type(error).__name__


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"a {type(value).__name__} without a text: {type(error).__name__}"
