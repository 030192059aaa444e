"""Client of a Viseme server: moves the lips of people in video to match new speech.

from viseme import Viseme

with Viseme("http://127.0.0.1:8000") as viseme:
    result = viseme.lipsync("talk.mp4", "speech.wav", output="out.mp4")
"""

from .client import AsyncViseme, Viseme
from .errors import (
    ConnectionFailed,
    InvalidInput,
    JobFailed,
    NotFound,
    TimedOut,
    TooLarge,
    Unauthorized,
    VisemeError,
)
from .flows import OnProgress
from .models import (
    Batch,
    BatchItem,
    BatchSummary,
    EngineHealth,
    FaceFrame,
    FaceReport,
    FaceResult,
    FacesResult,
    FaceSummary,
    Failure,
    Health,
    Job,
    JobWarning,
    LipsyncResult,
    OutputFacts,
    Progress,
    ScoreResult,
    SeenFace,
    Segment,
    Timing,
    UnknownFace,
)
from .options import BatchJob, Character, Face, FacesOptions, LipsyncOptions, Source, Wishes
from .service import LipsyncService, get_lipsync_service
from .version import __version__

__all__ = [
    "AsyncViseme",
    "Batch",
    "BatchItem",
    "BatchJob",
    "BatchSummary",
    "Character",
    "ConnectionFailed",
    "EngineHealth",
    "Face",
    "FaceFrame",
    "FaceReport",
    "FaceResult",
    "FaceSummary",
    "FacesOptions",
    "FacesResult",
    "Failure",
    "Health",
    "InvalidInput",
    "Job",
    "JobFailed",
    "JobWarning",
    "LipsyncOptions",
    "LipsyncResult",
    "LipsyncService",
    "NotFound",
    "OnProgress",
    "OutputFacts",
    "Progress",
    "ScoreResult",
    "SeenFace",
    "Segment",
    "Source",
    "TimedOut",
    "Timing",
    "TooLarge",
    "Unauthorized",
    "UnknownFace",
    "Viseme",
    "VisemeError",
    "Wishes",
    "__version__",
    "get_lipsync_service",
]
