"""A client of the HTTP API of Wanx Functions; it needs `requests` alone."""

from wanx.client import Client
from wanx.errors import (
    ImageFailed,
    NotTheApi,
    Refused,
    StillRunning,
    UnknownJob,
    Unreachable,
    WanxError,
)
from wanx.results import FINAL, Failure, Image, Job, Problem

__all__ = [
    "FINAL",
    "Client",
    "Failure",
    "Image",
    "ImageFailed",
    "Job",
    "NotTheApi",
    "Problem",
    "Refused",
    "StillRunning",
    "UnknownJob",
    "Unreachable",
    "WanxError",
]
