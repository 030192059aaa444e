"""Makes dataclasses of JSON. Fields that this version does not know are passed over."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(kind: type[T], value: object) -> T:
    """The dataclass ``kind`` from an object of JSON.

    Raises ValueError, TypeError or LookupError where a field is missing or is something else.
    """
    if not isinstance(value, Mapping):
        raise TypeError(f"{kind.__name__} is not an object")
    hints = get_type_hints(kind)
    given = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in value:
            given[field.name] = _converted(hints[field.name], value[field.name])
        elif not _has_default(field):
            raise LookupError(f"{kind.__name__} has no {field.name}")
    return kind(**given)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _converted(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Union:
        return None if value is None else _converted(arguments[0], value)
    if origin is tuple:
        kinds = arguments[:1] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) != len(value):
            raise ValueError(f"{len(value)} values in place of {len(kinds)}")
        return tuple(_converted(kind, one) for kind, one in zip(kinds, value))
    if dataclasses.is_dataclass(hint):
        return read(hint, value)  # type: ignore[arg-type]
    if hint is datetime:
        return time(value)
    if hint in (str, int, float, bool):
        return _plain(hint, value)
    return value


def _plain(kind: type, value: Any) -> Any:
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def time(text: str) -> datetime:
    """A moment in the form of RFC 3339, to the microsecond."""
    # Before Python 3.11, fromisoformat knows no Z and no fraction of other than three or six digits.
    match = re.fullmatch(r"([^.]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", text)
    if not match:
        raise ValueError(f"{text!r} is no time")
    seconds, fraction, zone = match.groups()
    zone = "+00:00" if zone == "Z" else zone
    return datetime.fromisoformat(f"{seconds}.{(fraction or '0')[:6]:0<6}{zone}")
