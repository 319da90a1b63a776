"""The archive: the same bytes each time, whole, and verified in a bare folder without Python."""

import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from report.archive import MANIFEST, archive
from report.compute import Computed, SectionRecord
from report.config import BuildConfig
from report.errors import StoreError
from report.model import DataInfo, Figure, Result, Value
from report.publish import publish
from tests.faults.lab import text_of

TEMPLATE = r"""\documentclass{article}
\usepackage{graphicx,own}
\begin{document}
\tableofcontents
\section{One}\label{one}
\own{\VAR{s.v}}, see section~\ref{two} and \cite{gauss}. Printed on \today. \input{plain}
\includegraphics[width=1cm]{sub/picture.pdf}\includegraphics[width=1cm]{\VAR{s.f}}
\section{Two}\label{two}
\bibliographystyle{plain}
\bibliography{references}
\end{document}
"""


def picture() -> bytes:
    """Return a small PDF with a grey square."""
    drawing = "0.5 g 1 1 7 7 re f"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources<<>>>>",
        f"<</Length {len(drawing)}>>stream\n{drawing}\nendstream",
    ]
    text, table = "%PDF-1.4\n", "0000000000 65535 f \n"
    for number, content in enumerate(objects, 1):
        table += f"{len(text):010} 00000 n \n"
        text += f"{number} 0 obj\n{content}\nendobj\n"
    return f"{text}xref\n0 5\n{table}trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n{len(text)}\n%%EOF\n".encode()


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BuildConfig]:
    """Build a report with a figure, a local style, a picture, a file of TeX's own and a bibliography."""
    root = tmp_path_factory.mktemp("project")
    for name, text in {
        "templates/report.tex": TEMPLATE,
        "templates/plain.tex": "Plain text.\n",
        "templates/own.sty": "\\ProvidesPackage{own}\\newcommand\\own[1]{<#1>}\\RequirePackage{fromhome}\n",
        "texmf/tex/latex/fromhome.sty": "\\ProvidesPackage{fromhome}\n",
        "templates/references.bib": "@book{gauss, title={Theoria}, author={C. Gauss}, publisher={P}, year=1809}\n",
        "templates/.hidden": "no",
        "requirements.lock": "numpy==2\n",
        "report.toml": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    (root / "templates/sub").mkdir()
    (root / "templates/sub/picture.pdf").write_bytes(picture())
    config = BuildConfig(root)
    record = SectionRecord("s", "k", Result({"v": Value(0.25)}, figures={"f": Figure(picture())}), {}, {})
    previous = os.environ.copy()
    os.environ |= {"SOURCE_DATE_EPOCH": "1700000000", "TEXMFHOME": str(root / "texmf")}
    try:
        publish(config, Computed(DataInfo("toy", "d", {"n": 3}), "quick", (0, 1), ({"s": record},) * 2))
        archive(config)
        yield config
    finally:
        os.environ.clear()
        os.environ.update(previous)


def verify(folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the archive's own check, where Python cannot be found."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **changes}
    return subprocess.run(
        ["sh", "verify.sh"], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_zip_compiles_in_a_bare_folder(config: BuildConfig, tmp_path: Path) -> None:
    """Unpacked elsewhere, plain XeLaTeX and BibTeX give the same text; the folder stays as it was."""
    with zipfile.ZipFile(config.out / "report.zip") as stream:
        stream.extractall(tmp_path)
    folder = tmp_path / "report"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert [name for name in names if not name.startswith("check.")] == [
        *("MANIFEST.sha256", "README.txt", "figures/s.f.pdf", "fromhome.sty", "own.sty", "plain.tex", "references.bib"),
        *("report.bbl", "report.pdf", "report.tex", "report.toml", "requirements.lock", "results.json"),
        *("sub/picture.pdf", "verify.sh"),
    ]
    done = verify(folder)
    assert done.returncode == 0, done.stderr
    assert "its text is that of report.pdf" in done.stdout
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == names
    assert "<0.25>" in text_of(folder / "report.pdf").replace("¡", "<").replace("¿", ">")
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    assert "xelatex report && bibtex report && xelatex report && xelatex report" in readme
    assert "--profile quick --seeds 2" in readme


def test_the_commands_of_the_readme_compile(config: BuildConfig, tmp_path: Path) -> None:
    """Typesetting by hand needs nothing but what the README says."""
    folder = archive(config, tmp_path / "by-hand")
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    command = next(line for line in readme.splitlines() if line.strip().startswith("xelatex report")).strip()
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "SOURCE_DATE_EPOCH": "1700000000"}
    environment["FORCE_SOURCE_DATE"] = "1"
    expected = text_of(folder / "report.pdf")
    subprocess.run(
        ["sh", "-ec", command.replace("xelatex", "xelatex -interaction=nonstopmode")], cwd=folder, env=environment,
        stdout=subprocess.DEVNULL, check=True, timeout=120,
    )  # fmt: skip
    assert text_of(folder / "report.pdf") == expected
    assert "14" in expected  # November 14, 2023: the date of the build


def test_two_archives_are_the_same_bytes(config: BuildConfig, tmp_path: Path) -> None:
    """Neither time, place, order of files nor rights show."""
    one = archive(config, tmp_path / "one.zip").read_bytes()
    for path in config.out.rglob("*"):
        os.utime(path, (1, 1))
    (config.root / "requirements.lock").chmod(0o600)
    assert archive(config, tmp_path / "other/two.zip").read_bytes() == one
    folder = archive(config, tmp_path / "folder")
    archive(config, folder)  # replaces itself
    with zipfile.ZipFile(tmp_path / "one.zip") as stream:
        content = {name.removeprefix("report/"): stream.read(name) for name in stream.namelist()}
    assert content == {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("name", ["report.tex", "results.json", "figures/s.f.pdf", "report.pdf"])
def test_a_change_is_found(config: BuildConfig, tmp_path: Path, name: str) -> None:
    """A file that differs by one byte fails the check before anything is compiled."""
    folder = archive(config, tmp_path / "folder")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-1] + b"x")
    done = verify(folder)
    assert done.returncode == 1
    assert "a file was changed or lost" in done.stderr


def test_another_text_is_found(config: BuildConfig, tmp_path: Path) -> None:
    """A source that does not belong to the PDF fails the check even under a manifest that was made to fit."""
    folder = archive(config, tmp_path / "folder")
    source = folder / "report.tex"
    before = sha256(source.read_bytes()).hexdigest()
    source.write_text(source.read_text(encoding="utf-8").replace("see section", "look at section"), encoding="utf-8")
    manifest = (folder / MANIFEST).read_text(encoding="utf-8")
    (folder / MANIFEST).write_text(manifest.replace(before, sha256(source.read_bytes()).hexdigest()), encoding="utf-8")
    done = verify(folder)
    assert done.returncode == 1
    assert "its text is another one" in done.stderr


def test_only_a_finished_build_is_archived(config: BuildConfig, tmp_path: Path) -> None:
    """Without a build, or with a product edited since, there is one message and no archive."""
    with pytest.raises(StoreError, match="holds no finished build"):
        archive(BuildConfig(tmp_path))
    shutil.copytree(config.root, tmp_path / "copy")
    copy = BuildConfig(tmp_path / "copy")
    (copy.out / "results.json").write_text("{}", encoding="utf-8")
    with pytest.raises(StoreError, match="was changed since"):
        archive(copy, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_nothing_else_is_overwritten(config: BuildConfig, tmp_path: Path) -> None:
    """A folder with other files and a file that is no zip are refused."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").touch()
    with pytest.raises(StoreError, match="something else"):
        archive(config, tmp_path / "mine")
    with pytest.raises(StoreError, match="is a file"):
        archive(config, tmp_path / "mine/thesis.txt")
    assert os.listdir(tmp_path) == ["mine"]  # noqa: PTH208 - names are all that counts
