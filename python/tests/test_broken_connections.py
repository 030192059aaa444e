"""What breaks on the way is taken up again where that does nothing twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import TOKEN, Server
from proxy import Proxy

from viseme import ConnectionFailed, LipsyncResult, Viseme


@pytest.fixture(scope="module")
def made(server: Server, video: Path, audio: Path) -> LipsyncResult:
    with Viseme(server.url) as client:
        return client.lipsync(video, audio, expression=0.6)


def test_a_download_goes_on_where_it_broke(server: Server, made: LipsyncResult, tmp_path: Path) -> None:
    with Proxy(server.url) as proxy, Viseme(proxy.url) as client:
        proxy.cut["/result"] = [100_000, 0, 50_000, 1]
        output = client.download(made.job_id, tmp_path / "out.mp4")
        ranges = [headers.get("range") for headers in proxy.of("/result")]
    with Viseme(server.url) as client:
        whole = client.download(made.job_id, tmp_path / "whole.mp4")
    assert output.read_bytes() == whole.read_bytes()
    assert ranges == [None, "bytes=100000-", "bytes=100000-", "bytes=150000-", "bytes=150001-"]


def test_a_download_that_cannot_go_on_leaves_nothing(server: Server, made: LipsyncResult, tmp_path: Path) -> None:
    before = tmp_path / "out.mp4"
    before.write_text("before")
    with Proxy(server.url) as proxy, Viseme(proxy.url) as client:
        proxy.cut["/result"] = [100_000, *[0] * 20]
        with pytest.raises(ConnectionFailed):
            client.download(made.job_id, before)
    assert os.listdir(tmp_path) == ["out.mp4"]
    assert before.read_text() == "before"


def test_a_request_whose_answer_was_lost_makes_no_second_job(idle_server: Server, video: Path, audio: Path) -> None:
    with Proxy(idle_server.url) as proxy, Viseme(proxy.url, TOKEN) as client:
        before = {job.id for job in client.jobs()}
        proxy.cut["/v1/jobs"] = [0, 10]
        job = client.submit(video, audio, expression=1.5)
        asked = [headers["idempotency-key"] for method, path, headers in proxy.seen if method == "POST"]
        assert len(asked) == 3
        assert len(set(asked)) == 1
        assert {job.id for job in client.jobs()} - before == {job.id}
        # What has no such key is not asked twice.
        proxy.cut["/cancel"] = [0]
        with pytest.raises(ConnectionFailed):
            client.cancel(job.id)
        assert len(proxy.of("/cancel")) == 1


def test_without_events_the_job_is_asked_for(server: Server, made: LipsyncResult) -> None:
    with Proxy(server.url) as proxy, Viseme(proxy.url) as client:
        proxy.cut["/events"] = [0, 20, 0]
        proxy.cut[made.job_id] = [0]
        assert client.wait(made.job_id).state == "completed"
        assert len(proxy.of(made.job_id)) == 2
