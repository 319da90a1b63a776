"""What the templates need of the TeX installation, and what of it is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FANDOL = ("FandolSong-Regular.otf", "FandolSong-Bold.otf", "FandolHei-Regular.otf", "FandolKai-Regular.otf")
"""The free Chinese fonts of TeX Live: ctex's default for the text, and the labels of figures."""

_COMMENT = re.compile(r"(?<!\\)%.*")
_REQUEST = re.compile(r"\\(documentclass|LoadClass|usepackage|RequirePackage)\s*(?:\[[^\]]*\])?\s*\{([^{}\\]*)\}")
_PROVIDERS = {
    "texlive-lang-chinese": re.compile(r"ctex.*|zh.*|xeCJK.*|CJK.*|Fandol.*"),
    "texlive-science": re.compile(r"algorithm.*|siunitx|physics"),
}
_ELSE = "texlive-latex-extra"  # depends on texlive-latex-recommended and texlive-pictures
CHINESE = _PROVIDERS["texlive-lang-chinese"]


def template_files(templates: Path) -> list[str]:
    r"""Return the classes and packages that the templates name, as file names, e.g. ``booktabs.sty``.

    Reads every ``\\documentclass`` and ``\\usepackage``; what the template folder itself holds is left out.
    """
    files: set[str] = set()
    for path in sorted(templates.rglob("*")):
        if path.suffix in {".tex", ".sty", ".cls"}:
            text = _COMMENT.sub("", path.read_text(encoding="utf-8"))
            for command, names in _REQUEST.findall(text):
                suffix = ".cls" if command in {"documentclass", "LoadClass"} else ".sty"
                files |= {name.strip() + suffix for name in names.split(",") if name.strip()}
    own = {path.name for path in templates.rglob("*")}
    return sorted(files - own)


def locate(files: Sequence[str]) -> dict[str, Path]:
    """Return where TeX finds each of the files, in one call; a file that is nowhere is left out."""
    if not files or shutil.which("kpsewhich") is None:
        return {}
    # Its exit status says no more than that one of the files is missing.
    run = subprocess.run(["kpsewhich", *files], capture_output=True, text=True, check=False)
    return {Path(line).name: Path(line) for line in run.stdout.splitlines()}


def version(program: str) -> str:
    """Return the line in which a program names itself and its version, or '' if it does not start."""
    try:
        run = subprocess.run([program, "-v"], capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = (run.stdout + run.stderr).split("\n")
    return next((line.strip() for line in lines if line.strip()), "version unknown")


def install_command(files: Sequence[str]) -> str:
    """Return the command that brings missing TeX files: apt-get where there is one, else TeX Live's own tlmgr."""
    stems = [Path(file).stem for file in files]
    if shutil.which("apt-get") is None:
        return f"tlmgr install {' '.join(sorted({'fandol' if 'Fandol' in stem else stem for stem in stems}))}"
    return apt_command(sorted({_provider(stem) for stem in stems}))


def apt_command(packages: Sequence[str]) -> str:
    """Return the apt-get command line for some Debian packages."""
    return f"sudo apt-get install -y --no-install-recommends {' '.join(packages)}"


def _provider(stem: str) -> str:
    return next((name for name, files in _PROVIDERS.items() if files.fullmatch(stem)), _ELSE)
