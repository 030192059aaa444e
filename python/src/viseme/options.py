"""What can be said of a job, and the request that says it."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional, TypedDict, Union

from .errors import InvalidInput
from .steps import Send

#: A file of this machine, which is sent, or an http(s) address, which the server fetches.
Source = Union[str, "os.PathLike[str]"]


@dataclasses.dataclass(frozen=True)
class Character:
    """Somebody, and the address of a picture that shows this face and no other."""

    id: str
    reference_image_url: str
    name: Optional[str] = None


@dataclasses.dataclass(frozen=True)
class Face:
    """A face that was found before: by where it is, ``(x, y, width, height)`` in pixels, and when it speaks."""

    character_id: str
    bbox: tuple[float, float, float, float]
    start_time_ms: Optional[int] = None
    end_time_ms: Optional[int] = None


class Wishes(TypedDict, total=False):
    """How urgently, how often, how long, and who is told."""

    #: Higher ones come first, -100 to 100.
    priority: Optional[int]
    #: How long to wait before it may begin.
    delay_ms: Optional[int]
    #: Most times that it is begun, 1 to 10.
    max_tries: Optional[int]
    #: How long a try may take.
    time_limit_s: Optional[int]
    #: An address that is told when the job has ended, by a signed POST.
    webhook_url: Optional[str]


class LipsyncOptions(Wishes, total=False):
    """How lips are moved. What is left out, or None, is what the server says."""

    #: ``native``, ``wav2lip``, …; ``auto`` is the same as None.
    engine: Optional[str]
    #: Engines that are tried when that one cannot be used.
    fallback: Optional[Sequence[str]]
    #: People, each with a picture. They speak wherever they are seen, and nobody else.
    characters: Optional[Sequence[Union[Character, Mapping[str, Any]]]]
    #: Faces that were found before. Nobody else speaks.
    faces: Optional[Sequence[Union[Face, Mapping[str, Any]]]]
    #: Least likeness of a face and a reference picture, 0 to 1.
    similarity_threshold: Optional[float]
    #: What is shown where the audio is longer: ``none``, ``repeat``, ``pingpong``, ``crossfade``, ``smart``, ``hold``, ``remap``.
    loop_mode: Optional[str]
    #: Frames that are blended at the boundary of a loop, 1 to 30.
    crossfade_frames: Optional[int]
    #: How strongly faces are smoothed over time, 0 to 1.
    temporal_smoothing: Optional[float]
    #: Whether faces are made sharper afterwards, where an enhancer is installed.
    enhance_quality: Optional[bool]
    #: For CodeFormer: 0 is the finest face, 1 the same face.
    fidelity_weight: Optional[float]
    #: Whether the result has sound.
    include_audio: Optional[bool]
    #: Room around the mouth box of Wav2Lip: top, bottom, left, right in pixels.
    padding: Optional[Sequence[int]]
    #: How strongly mouths move: 1 is natural, 0 keeps them closed, 2 is the most.
    expression: Optional[float]
    #: A presigned address to which the result is sent with one PUT.
    upload_url: Optional[str]


class FacesOptions(Wishes, total=False):
    """Which faces to find, where."""

    #: Moments that are looked at, per second.
    sample_fps: Optional[float]
    #: People, each with a picture.
    characters: Optional[Sequence[Union[Character, Mapping[str, Any]]]]
    #: Least likeness of a face and a reference picture, 0 to 1.
    similarity_threshold: Optional[float]
    #: From when on.
    start_time_ms: Optional[int]
    #: Until when.
    end_time_ms: Optional[int]


class BatchJob(LipsyncOptions, total=False):
    """A job of a batch: ``video`` and ``audio`` are addresses, and both are needed."""

    video: str
    audio: str


def is_url(source: Source) -> bool:
    """Whether the server is to fetch it."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def job(
    kind: str,
    sources: Mapping[str, Optional[Source]],
    known: type[Wishes],
    options: Mapping[str, Any],
    key: Optional[str],
) -> Send:
    """The request that makes a job of ``kind`` out of ``sources``, by the names of their parts.

    Raises FileNotFoundError for a file that is not there, and InvalidInput for a mixture of files and addresses.
    """
    given = {part: source for part, source in sources.items() if source is not None}
    task, wishes = split(known, options)
    headers = key_header(key)
    urls = [part for part, source in given.items() if is_url(source)]
    if len(urls) == len(given):
        task.update({f"{part}_url": source for part, source in given.items()})
        return Send("POST", "/v1/jobs", json={"kind": kind, "input": task, **wishes}, headers=headers)
    if urls:
        raise InvalidInput(
            "files and addresses cannot be mixed in one job",
            code="invalid_input",
            param=urls[0],
            hint="Give two files, or two addresses.",
        )
    files = {part: existing(source) for part, source in given.items()}
    fields = {"kind": kind, "options": json.dumps({**task, **wishes})}
    return Send("POST", "/v1/jobs", fields=fields, files=files, headers=headers)


def batch(jobs: Sequence[Mapping[str, Any]], options: Mapping[str, Any], key: Optional[str]) -> Send:
    """The request that makes a batch."""
    _, wishes = split(Wishes, options)
    tasks = []
    for number, one in enumerate(jobs):
        task, others = split(BatchJob, one)
        video, audio = task.pop("video", None), task.pop("audio", None)
        if others or not video or not audio or not (is_url(video) and is_url(audio)):
            raise InvalidInput(
                f"job {number} of the batch has no addresses of video and audio, or wishes of its own",
                code="invalid_input",
                param=f"jobs[{number}]",
                hint="Priority and the like are said of the whole batch; files are sent with submit().",
            )
        tasks.append({"video_url": video, "audio_url": audio, **task})
    return Send("POST", "/v1/batches", json={"jobs": tasks, **wishes}, headers=key_header(key))


def key_header(key: Optional[str]) -> dict[str, str]:
    """The name of a request, by which it may be sent again without being done twice."""
    return {"Idempotency-Key": key or uuid.uuid4().hex}


def split(known: type[Wishes], options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is said of the task, and what of how it is done. Raises TypeError for a name that is not known."""
    names = _names(known)
    unknown = next((name for name in options if name not in names), None)
    if unknown is not None:
        raise TypeError(f"there is no option {unknown!r}; known: {', '.join(sorted(names))}")
    task = {name: _plain(value) for name, value in options.items() if value is not None}
    if task.get("engine") == "auto":
        del task["engine"]
    wishes = {name: task.pop(name) for name in _names(Wishes) if name in task}
    return task, wishes


def _names(known: type[Wishes]) -> frozenset[str]:
    return frozenset(known.__annotations__)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value


def existing(source: Source) -> Path:
    """The file, which is there. Raises FileNotFoundError."""
    path = Path(source)
    if not path.is_file():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    return path
