"""What needs no server."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest

from viseme import Face, SeenFace
from viseme.decode import read, time
from viseme.events import Events
from viseme.options import LipsyncOptions, batch, job, split


def test_events_are_the_same_in_any_cut() -> None:
    stream = (
        b': hello\r\nevent: job\r\ndata: {"a":1}\r\n\r\ndata: two\ndata:lines\n\n: alive\n\ndata: \xc3\xa4\r\rdata: not ended\n'
    )
    for first, second in itertools.combinations(range(len(stream) + 1), 2):
        events = Events()
        chunks = (stream[:first], stream[first:second], stream[second:])
        found = [data for chunk in chunks for data in events.feed(chunk)]
        assert found == ['{"a":1}', "two\nlines", "ä"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-21T21:28:23Z", datetime(2026, 11, 21, 21, 28, 23, tzinfo=timezone.utc)),
        ("2026-11-21T21:28:23.78Z", datetime(2026, 11, 21, 21, 28, 23, 780_000, tzinfo=timezone.utc)),
        ("2026-11-21T21:28:23.123456789Z", datetime(2026, 11, 21, 21, 28, 23, 123_456, tzinfo=timezone.utc)),
        ("2026-11-21T21:28:23+01:00", datetime(2026, 11, 21, 21, 28, 23, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_times_are_read(text: str, expected: datetime) -> None:
    assert time(text) == expected


def test_answers_are_read_and_checked() -> None:
    face = {
        "character_id": "face_1",
        "bbox": [1, 2.5, 3, 4],
        "confidence": 1,
        "head_pose": [0, 0, 0],
        "syncable": True,
        "sync_quality": 0.5,
        "skip_reason": None,
        "of_a_later_version": {},
    }
    seen = read(SeenFace, face)
    assert (seen.bbox, seen.confidence, seen.skip_reason) == ((1.0, 2.5, 3.0, 4.0), 1.0, None)
    for name, wrong in (("bbox", [1, 2]), ("confidence", "1"), ("syncable", 1)):
        with pytest.raises((ValueError, TypeError)):
            read(SeenFace, {**face, name: wrong})
    del face["bbox"]
    with pytest.raises(LookupError, match="bbox"):
        read(SeenFace, face)


def test_options_become_json() -> None:
    said = {"engine": "auto", "priority": 5, "padding": (0, 20, 0, 0), "loop_mode": None, "faces": [Face("a", (1, 2, 3, 4))]}
    task, wishes = split(LipsyncOptions, said)
    face = {"character_id": "a", "bbox": (1, 2, 3, 4), "start_time_ms": None, "end_time_ms": None}
    assert task == {"padding": [0, 20, 0, 0], "faces": [face]}
    assert wishes == {"priority": 5}


def test_addresses_are_sent_as_such() -> None:
    sources = {"video": "https://a.example/v.mp4", "audio": "HTTPS://a.example/a.wav"}
    send = job("lipsync", sources, LipsyncOptions, {"loop_mode": "smart", "max_tries": 2}, "key")
    given = {"video_url": sources["video"], "audio_url": sources["audio"], "loop_mode": "smart"}
    assert send.json == {"kind": "lipsync", "input": given, "max_tries": 2}
    assert send.headers == {"Idempotency-Key": "key"}
    made = batch([{**sources, "engine": "native"}], {"priority": 1}, None)
    assert made.json is not None
    assert made.json["priority"] == 1
    assert made.json["jobs"][0]["engine"] == "native"
    assert made.headers["Idempotency-Key"]
