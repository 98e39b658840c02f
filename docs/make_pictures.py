"""Draws the pictures of the README: the command line's own output, as a terminal shows it.

`make docs` runs it. It builds a release in a temporary home, so it needs half a minute and leaves
nothing behind but the two files in `docs/images/`.
"""

from __future__ import annotations

import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import MONOKAI

from sotedw import cli

IMAGES = Path(__file__).resolve().parent / "images"

#: The picture of a series break, and the query it shows.
SERIES_BREAK_PICTURE = "series_break.svg"
SERIES_BREAK_QUERY = (
    "select year, value, change_count, comparability, break_reason"
    " from mart_output_statistics"
    " where measure_code = 'nurse_reception_visits' order by year"
)

BUILD_PICTURE = "build.svg"

_WIDTH = 108

#: One line a delivery would make a picture of nothing else: `...` stands for them all.
_LOADED = re.compile(r"^  [\w/-]+: loaded, \d+ rows?$")

# Without the fonts that rich would fetch from a web server: a picture needs no network.
_SVG_FORMAT = re.sub(r"@font-face \{\{.*?\n    \}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


class _Terminal(Console):
    """A console whose long lines wrap at its edge, as a terminal's do: a picture has no more."""

    _has_left_out = False

    def print(self, *objects: Any, **options: Any) -> None:
        """Print, wrapping also what asks for `soft_wrap`; of the deliveries loaded a `...`."""
        if _LOADED.match(" ".join(str(item) for item in objects)):
            if self._has_left_out:
                return
            self._has_left_out = True
            objects = ("  ...",)
        super().print(*objects, **{**options, "soft_wrap": False})


def draw_series_break(home: Path) -> str:
    """The picture of the query, asked of a home's published release.

    Args:
        home: A home with a release.

    Returns:
        The SVG.
    """
    arguments = ["query", SERIES_BREAK_QUERY, "--home", str(home)]
    shown = [
        'sotedw query "select year, value, change_count, comparability, break_reason',
        "              from mart_output_statistics",
        "              where measure_code = 'nurse_reception_visits' order by year\"",
    ]
    return _picture(shown, arguments, "series-break")


def draw_build() -> str:
    """The picture of a build of the checkout's `landing/` into the current folder's `warehouse`."""
    return _picture(["make build"], ["build", "--home", "warehouse"], "build")


def main() -> None:
    """Build a release and draw both pictures."""
    # A setting of the reader's shell must not show in a picture.
    for name in [name for name in os.environ if name.startswith("SOTEDW_")]:
        del os.environ[name]
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        pictures = {BUILD_PICTURE: draw_build()}
        pictures[SERIES_BREAK_PICTURE] = draw_series_break(Path("warehouse"))
    for name, picture in pictures.items():
        (IMAGES / name).write_text(picture, encoding="utf-8")
        print(f"docs/images/{name}")


def _picture(shown: Sequence[str], arguments: Sequence[str], unique_id: str) -> str:
    """Run the command line and draw what its terminal holds when it has ended.

    Args:
        shown: The command as the reader types it, one text a line.
        arguments: What is run.
        unique_id: Prefix of the picture's ids, so that a redrawn picture differs only in content.
    """
    # A dumb terminal shows each progress line once, in its last state.
    console = _Terminal(
        record=True,
        width=_WIDTH,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        _environ={"TERM": "dumb"},
    )
    for index, line in enumerate(shown):
        console.print(f"{'$' if index == 0 else ' '} {line}", highlight=False, markup=False)
    with _console_of_the_command_line(console):
        cli.cli.main(list(arguments), standalone_mode=False)
    console.print()  # rich cuts into the last line of a picture
    picture: str = console.export_svg(
        title="", theme=MONOKAI, code_format=_SVG_FORMAT, unique_id=unique_id
    )
    # Trailing spaces and a missing last line break would be noise in every diff.
    return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


@contextmanager
def _console_of_the_command_line(console: Console) -> Iterator[None]:
    """Let the command line print to a console of ours, stdout and stderr alike."""

    def ours(*_: Any, **__: Any) -> Console:
        return console

    theirs = cli.Console
    cli.Console = ours  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        cli.Console = theirs  # type: ignore[misc]


if __name__ == "__main__":
    sys.exit(main())
