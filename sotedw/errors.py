"""Errors of the command line, each with the exit code it ends in."""

from __future__ import annotations


class SotedwError(Exception):
    """Base of what the command line reports without a traceback."""

    exit_code = 1


class BuildFailed(SotedwError):
    """The build could not finish: a broken model, a full disk, a defect of ours."""

    exit_code = 1


class WrongUse(SotedwError):
    """Wrong arguments or settings."""

    exit_code = 2


class BuildRunning(SotedwError):
    """Another build holds the lock of the home."""

    exit_code = 3


class PublicationBlocked(SotedwError):
    """A blocker of the quality gate failed: the release before stays up."""

    exit_code = 4
