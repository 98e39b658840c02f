"""Logs and records of a run: no identity code gets into them, whoever writes it."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from sotedw import cli as command_line
from sotedw.errors import WrongUse
from sotedw.run import Run

CODE = "131052-308T"


def test_a_log_masks_messages_arguments_and_tracebacks(tmp_path: Path) -> None:
    run = Run.start(tmp_path, "20221031-0123456789ab", "2022-10-31")
    with run.log():
        log = logging.getLogger("anybody")
        log.warning("of %s in 20221031-0123456789ab", CODE)
        try:
            raise ValueError(f"no such {CODE.lower()}")
        except ValueError:
            log.exception("broke on 131052A308T")
    text = (run.folder / "build.log").read_text(encoding="utf-8")
    assert "131052" not in text
    assert "of ******-**** in 20221031-0123456789ab" in text
    assert "ValueError: no such ******-****" in text
    assert "broke on ******-****" in text


def test_the_record_of_a_run_masks_its_message(tmp_path: Path) -> None:
    run = Run.start(tmp_path, "20221031-0123456789ab", "2022-10-31")
    run.finish("failed", f"no such {CODE}")
    text = (run.folder / "run.json").read_text(encoding="utf-8")
    assert "no such ******-****" in text
    assert "131052" not in text


@pytest.mark.parametrize(
    ("error", "status"), [(WrongUse(f"no {CODE}"), 2), (RuntimeError(f"no {CODE}"), 1)]
)
def test_the_command_line_masks_errors(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    status: int,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(command_line.cli, "main", fail)
    with pytest.raises(SystemExit) as left:
        command_line.main()
    assert left.value.code == status
    said = capsys.readouterr().err
    assert "no ******-****" in said
    assert CODE not in said
