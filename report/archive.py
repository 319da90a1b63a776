"""``archive``: the last build as a folder or zip that compiles elsewhere with XeLaTeX alone and can be verified there.

Holds the document, its figures, bibliography and local styles, the results as data, and a shell script that checks
every digest, compiles the document again and compares the text. The zip is the same bytes each time.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import StoreError
from report.files import system_errors_told, write_atomic
from report.lock import locked
from report.passes import WORK
from report.publish import NAME, read_stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from report.config import BuildConfig

MANIFEST = "MANIFEST.sha256"
_EXECUTABLE = "verify.sh"
_KEPT = ("results.json", "check.json")
_FROM_ROOT = ("requirements.lock", "report.toml")
_OWN_TREES = ("TEXMFHOME", "TEXMFLOCAL")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can state
_CONTENTS = {
    "results.json": "every number of it as data: values, tables, figures, claims, settings",
    "check.json": "the prose held against the results",
    "report.toml": "the settings of the project",
    "requirements.lock": "the versions of the Python packages that computed it",
    MANIFEST: "the SHA-256 of every file",
}
_README = """\
A finished report, and all that is needed to typeset it again.

  {name}.pdf         the report
  {name}.tex         its source; figures/ and the files beside it belong to it
{contents}

To verify: nothing was changed, and the document gives the text of {name}.pdf.

  sh verify.sh

To typeset by hand:

  {commands}

Needed: XeLaTeX with the packages and fonts that {name}.tex names (TeX Live), and pdftotext (poppler) for verify.sh.
Python is not needed. The numbers can be computed again with the project that the report names, at its commit:

  python build.py --profile {profile}{seeds}

Data: {data}
"""


def archive(config: BuildConfig, to: Path | None = None) -> Path:
    """Pack the last finished build; nothing is computed or compiled.

    Parameters
    ----------
    config : BuildConfig
        The project and its output folder.
    to : Path, optional
        A file that ends in ``.zip``, or a folder that is absent, empty or an earlier archive; by default
        ``report.zip`` in the output folder.

    Raises
    ------
    StoreError
        When there is no finished build, a file of it was changed since, or the target holds something else.
    """
    target = to or config.out / f"{NAME}.zip"
    with system_errors_told(), locked(config.out, print):
        files = collect(config)
        if target.suffix == ".zip":
            write_atomic(target, packed(files))
        else:
            _write_folder(target, files)
    return target


def collect(config: BuildConfig) -> dict[str, bytes]:
    """Return every file of the archive by its name in it, in order, with the manifest."""
    stamp = read_stamp(config.out)
    if stamp is None:
        raise StoreError(
            f"{config.relative(config.out)} holds no finished build, or a file of it was changed since",
            hint="run the build, without edits after it, then archive",
        )
    files = {name: (config.out / name).read_bytes() for name in stamp["outputs"]}
    files |= {name: path.read_bytes() for name in _KEPT if (path := config.out / name).is_file()}
    files |= {name: path.read_bytes() for name in _FROM_ROOT if (path := config.root / name).is_file()}
    files |= {name: path.read_bytes() for name, path in _sources(config) if name not in files}
    maker = _bibliography_maker(config)
    if maker:
        files[f"{NAME}.bbl"] = (config.out / WORK / f"{NAME}.bbl").read_bytes()
    files[_EXECUTABLE] = _script(maker, stamp["epoch"]).encode()
    files["README.txt"] = _readme(json.loads(files["results.json"]), maker, files).encode()
    lines = [f"{sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return dict(sorted({**files, MANIFEST: "".join(lines).encode()}.items()))


def packed(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of the files in one folder: fixed order, times and rights, and stored, so that no zlib matters."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as stream:
        for name, content in files.items():
            entry = zipfile.ZipInfo(f"{NAME}/{name}", _ZIP_TIME)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = (0o100755 if name == _EXECUTABLE else 0o100644) << 16
            stream.writestr(entry, content)
    return buffer.getvalue()


def _write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Write the files beside the target first, so that an archive that is there is replaced as a whole."""
    if target.exists() and not target.is_dir():
        raise StoreError(f"{target} is a file", hint="name a folder, or a file that ends in .zip")
    if target.exists() and any(target.iterdir()) and not (target / MANIFEST).exists():
        raise StoreError(f"{target} holds something else than an archive", hint="name another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        for name, content in files.items():
            write_atomic(fresh / name, content)
        (fresh / _EXECUTABLE).chmod(0o755)
        fresh.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _sources(config: BuildConfig) -> Iterator[tuple[str, Path]]:
    """Yield what the document may read besides figures: bibliographies, styles, pictures, and TeX it took in itself."""
    for path in sorted(config.templates.rglob("*")):
        name = path.relative_to(config.templates)
        if path.is_file() and path.suffix != ".tex" and not any(part.startswith(".") for part in name.parts):
            yield name.as_posix(), path
    trees = [config.templates.resolve(), config.out.resolve(), *_own_trees()]
    record = config.out / WORK / f"{NAME}.fls"
    text = record.read_text(encoding="utf-8", errors="replace") if record.exists() else ""
    for line in sorted({line[6:] for line in text.splitlines() if line.startswith("INPUT ")}):
        path = (config.out / line).resolve()
        for tree in trees:
            if path.is_relative_to(tree) and path.is_file():
                name = path.relative_to(tree)
                if not name.parts[0].startswith("."):  # LaTeX's own files
                    yield name.as_posix() if tree in trees[:2] else name.name, path
                break


def _own_trees() -> list[Path]:
    """Return TeX's folders for what is no part of a distribution; another machine does not have it."""
    found = []
    for name in _OWN_TREES:
        done = subprocess.run(["kpsewhich", "-var-value", name], capture_output=True, text=True, check=False)
        found += [Path(text).resolve() for text in done.stdout.strip().split(":") if text.startswith("/")]
    return [path for path in found if path.is_dir()]


def _bibliography_maker(config: BuildConfig) -> str:
    """Return the program that made the bibliography; nothing where there is none."""
    if not (config.out / WORK / f"{NAME}.bbl").exists():
        return ""
    return "biber" if (config.out / WORK / f"{NAME}.bcf").exists() else "bibtex"


def _script(maker: str, epoch: int) -> str:
    text = (Path(__file__).parent / "verify.sh").read_text(encoding="utf-8")
    return text.replace("@NAME@", NAME).replace("@MAKER@", maker).replace("@EPOCH@", str(epoch))


def _readme(results: Mapping[str, Any], maker: str, files: Mapping[str, bytes]) -> str:
    first, *more = results["seeds"]
    latex = f"xelatex {NAME}"
    data = ", ".join(f"{key} {value}" for key, value in results["data"].items())
    return _README.format(
        name=NAME,
        contents="\n".join(f"  {name:<19}{text}" for name, text in _CONTENTS.items() if name in {*files, MANIFEST}),
        commands=" && ".join([latex, *([f"{maker} {NAME}", latex] if maker else []), latex]),
        profile=results["profile"],
        seeds=(f" --seed {first}" if first else "") + (f" --seeds {len(more) + 1}" if more else ""),
        data=data,
    )
