"""Opening a template at a line in the author's editor: a command from the author's own settings, never a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT_COLON = ("-g", "{file}:{line}")
_ARGUMENTS = {
    **dict.fromkeys(("code", "code-insiders", "codium", "vscodium", "cursor", "windsurf"), _AT_COLON),
    **dict.fromkeys(("subl", "sublime_text", "zed", "zeditor"), ("{file}:{line}",)),
    **dict.fromkeys(("gvim", "mvim", "gedit", "xed", "pluma", "mousepad", "emacsclient"), ("+{line}", "{file}")),
    **dict.fromkeys(("kate", "kwrite", "pycharm", "idea", "charm"), ("--line", "{line}", "{file}")),
    **dict.fromkeys(("texstudio", "texmaker"), ("{file}", "-line", "{line}")),
}
_VARIABLES = ("REPORT_EDITOR", "VISUAL", "EDITOR")


@dataclass(frozen=True, slots=True)
class Editor:
    """The command that opens a file at a line, as arguments with ``{file}`` and ``{line}``; empty if none is known."""

    arguments: tuple[str, ...] = ()

    @classmethod
    def choose(cls, template: str = "", environment: Mapping[str, str] | None = None) -> Editor:
        """Choose the first that can be started of the option, $REPORT_EDITOR, $VISUAL and $EDITOR.

        An editor that needs a terminal, such as vim, cannot be started from a page.
        """
        environment = os.environ if environment is None else environment
        for text in (template, *(environment.get(name, "") for name in _VARIABLES)):
            arguments = _split(text)
            if not arguments or shutil.which(arguments[0]) is None:
                continue
            if any("{file}" in argument for argument in arguments):
                return cls(arguments)
            known = _ARGUMENTS.get(Path(arguments[0]).name)
            if known is not None:
                return cls((*arguments, *known))
        return cls()

    def command(self, path: Path, line: int) -> list[str]:
        """Return the command for one place."""
        return [part.replace("{line}", str(line)).replace("{file}", str(path)) for part in self.arguments]

    def open(self, path: Path, line: int) -> bool:
        """Start the editor; tell whether there is one."""
        if not self.arguments:
            return False
        subprocess.Popen(
            self.command(path, line),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        return True


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:
        return ()
