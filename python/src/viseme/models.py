"""What the server tells of jobs and their results. Times are in milliseconds, boxes ``(x, y, width, height)`` in pixels."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Optional

Box = tuple[float, float, float, float]
Pose = tuple[float, float, float]


@dataclass(frozen=True)
class Progress:
    """How far a job is: ``done`` of ``total`` steps of a stage. ``total`` is None where it is not known."""

    stage: str
    done: int
    total: Optional[int]


@dataclass(frozen=True)
class JobWarning:
    """Something that went less well than asked for, without stopping the job."""

    code: str
    message: str


@dataclass(frozen=True)
class Failure:
    """Why a try of a job has failed."""

    code: str
    message: str
    is_retryable: bool
    hint: Optional[str] = None


@dataclass(frozen=True)
class Job:
    """A job as the server knows it. ``result`` is what it made, in terms of its kind."""

    id: str
    kind: str
    state: str
    priority: int
    tries: int
    max_tries: int
    time_limit_ms: int
    created_at: datetime
    run_at: datetime
    started_at: Optional[datetime]
    finished_at: Optional[datetime]
    progress: Optional[Progress]
    cancel_requested: bool
    result: Optional[dict[str, Any]]
    error: Optional[Failure]
    warnings: tuple[JobWarning, ...]

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class JobPage:
    """Some of the jobs, the newest first, and what the next page begins after."""

    total: int
    jobs: tuple[Job, ...]
    next: Optional[str]


@dataclass(frozen=True)
class Segment:
    """Frames of a face in one state: synced, or left alone for a reason."""

    start_ms: int
    end_ms: int
    synced: bool
    skip_reason: Optional[str]
    avg_quality: Optional[float]
    avg_bbox: Optional[Box]
    avg_head_pose: Optional[Pose]


@dataclass(frozen=True)
class FaceSummary:
    """How long a face was seen, and moved its lips to the new speech."""

    total_ms: int
    synced_ms: int
    skipped_ms: int


@dataclass(frozen=True)
class FaceResult:
    """What happened to a face that was to speak."""

    character_id: str
    success: bool
    error_message: Optional[str]
    segments: tuple[Segment, ...]
    summary: FaceSummary


@dataclass(frozen=True)
class UnknownFace:
    """A face that was not to speak."""

    character_id: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True)
class FaceReport:
    """What happened to all faces."""

    total_detected: int
    processed: int
    unknown: int
    results: tuple[FaceResult, ...]
    unknown_faces: tuple[UnknownFace, ...]


@dataclass(frozen=True)
class OutputFacts:
    """What the video is."""

    duration_ms: int
    width: int
    height: int
    fps: float
    file_size_bytes: int


@dataclass(frozen=True)
class Timing:
    """How long the stages took."""

    total_ms: int
    download_ms: int
    detection_ms: int
    lipsync_ms: int
    enhancement_ms: int
    encoding_ms: int
    upload_ms: int


@dataclass(frozen=True)
class LipsyncResult:
    """A video whose lips follow the new speech. ``path`` is where it was downloaded to, ``video_url`` opens it for a day."""

    video_url: str
    faces: FaceReport
    output: OutputFacts
    timing: Timing
    method_used: str
    cost_usd: float
    warnings: tuple[JobWarning, ...] = ()
    job_id: str = ""
    path: Optional[Path] = None


@dataclass(frozen=True)
class SeenFace:
    """A face at a moment. One that cannot be synced has a ``skip_reason``."""

    character_id: str
    bbox: Box
    confidence: float
    head_pose: Pose
    syncable: bool
    sync_quality: float
    skip_reason: Optional[str]


@dataclass(frozen=True)
class FaceFrame:
    """The faces of a moment."""

    timestamp_ms: int
    faces: tuple[SeenFace, ...]


@dataclass(frozen=True)
class FacesResult:
    """The faces of a video, some times a second."""

    frames: tuple[FaceFrame, ...]
    frame_width: int
    frame_height: int
    sample_fps: float
    video_duration_ms: int
    characters_detected: tuple[str, ...]


@dataclass(frozen=True)
class ScoreResult:
    """How good a video is, each from 0 to 1, or None where it cannot be measured. ``report`` is all that was measured."""

    sync_score: Optional[float]
    audio_quality: Optional[float]
    video_quality: Optional[float]
    report: dict[str, Any]


@dataclass(frozen=True)
class BatchItem:
    """A job of a batch: ``success``, ``failed``, ``cancelled``, ``queued``, ``running``, or ``gone`` when it was deleted."""

    job_id: str
    status: str
    video_url: Optional[str]
    method_used: Optional[str]
    duration: Optional[float]
    cost_usd: Optional[float]
    error: Optional[Failure]


@dataclass(frozen=True)
class BatchSummary:
    """The jobs of a batch in numbers."""

    total: int
    success: int
    failed: int
    cancelled: int
    pending: int
    total_duration: float
    total_cost_usd: float


@dataclass(frozen=True)
class Batch:
    """Jobs that were asked for together. ``running`` until all have ended, then ``completed``."""

    id: str
    status: str
    created_at: datetime
    results: tuple[BatchItem, ...]
    summary: BatchSummary
    error: Optional[Failure]

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status != "running"


@dataclass(frozen=True)
class EngineHealth:
    """An engine, and why it cannot be used where it cannot."""

    name: str
    ready: bool
    reason: Optional[str]


@dataclass(frozen=True)
class Health:
    """How the server is: ``healthy``, ``loading`` or ``unhealthy``."""

    status: str
    version: str
    gpu_available: bool = False
    gpu_name: Optional[str] = None
    gpu_memory_gb: Optional[float] = None
    engines: tuple[EngineHealth, ...] = field(default_factory=tuple)
