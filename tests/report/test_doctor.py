"""The doctor: findings, remedies, and the table."""

import shutil
import sys
from importlib import metadata
from types import SimpleNamespace

import pytest

from report import doctor, texlive
from report.config import BuildConfig
from report.doctor import Finding, doctor_table, examine, healthy, read_pins
from report.errors import DataError
from report.model import DataInfo


@pytest.fixture
def config(tmp_path):
    """Return a project with one template."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "report.tex").write_text("\\documentclass{article}\\usepackage{booktabs}")
    return BuildConfig(root=tmp_path)


def source(result):
    """Return a data source that identifies itself with the result, or raises it."""

    def identify():
        if isinstance(result, Exception):
            raise result
        return result

    return SimpleNamespace(identify=identify)


def findings_by_name(config, packages=(), data=None):
    """Return the findings under their names."""
    return {finding.name: finding for finding in examine(config, packages=packages, data=data)}


def test_a_complete_machine_is_healthy(config):
    """Where everything is there, nothing required is missing and no remedy is offered for it."""
    pins = [f"{name}=={metadata.version(name)}" for name in ("pytest", "jinja2")]
    findings = examine(config, packages=pins, data=source(DataInfo("mnist", "0123456789abcdef0", {"n_train": 60000})))
    assert healthy(findings)
    assert [finding.remedy for finding in findings if finding.required] == [""] * sum(f.required for f in findings)


def test_a_package_that_is_not_installed_is_missing(config):
    """An absent package is required, and the remedy installs the pinned version."""
    finding = findings_by_name(config, ["no-such-package==1.2"])["not installed"]
    assert (finding.ok, finding.required, finding.found) == (False, True, "no-such-package==1.2")
    assert "pip install 'no-such-package==1.2'" in finding.remedy


def test_another_version_is_a_note(config):
    """A package in another version than the lock's is shown with both versions, and does not stop a build."""
    findings = findings_by_name(config, ["pytest==0.1", "jinja2"])
    finding = findings["other versions"]
    assert (finding.ok, finding.required) == (False, False)
    assert finding.found == f"pytest {metadata.version('pytest')} instead of 0.1"
    assert findings["Python packages"].found.startswith("1 of 2 as in the lock: jinja2 ")


def test_the_local_part_of_a_version_does_not_count(config, monkeypatch):
    """Torch 2.13.0+cpu is the pinned 2.13.0."""
    monkeypatch.setattr(metadata, "version", lambda _: "2.13.0+cpu")
    assert findings_by_name(config, ["lamp==2.13.0"])["Python packages"].found.endswith("lamp 2.13.0")


def test_many_missing_packages_are_installed_from_the_lock(config):
    """The remedy for an empty environment is one short command."""
    finding = findings_by_name(config, [f"no-such-{number}==1" for number in range(40)])["not installed"]
    assert finding.remedy.endswith("-m pip install -r requirements.lock")


def test_a_system_python_gets_a_virtual_environment(monkeypatch):
    """Debian's own Python refuses pip, so the remedy makes an environment first."""
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    assert doctor._pip_command(["a==1"]) == "python3 -m venv .venv && .venv/bin/python -m pip install 'a==1'"


def test_a_torch_that_does_not_import_is_missing(config, monkeypatch):
    """An installed but broken torch is found by importing it, with the last line of its traceback."""
    monkeypatch.setattr(doctor, "_TORCH_PROBE", "raise ImportError('libtorch.so: no such file')")
    monkeypatch.setattr(metadata, "version", lambda _: "2.13.0")
    finding = findings_by_name(config, ["torch==2.13.0"])["import torch"]
    assert (finding.ok, finding.required) == (False, True)
    assert finding.found == "ImportError: libtorch.so: no such file"
    assert "pip install 'torch' --force-reinstall" in finding.remedy


def test_without_tex_every_program_and_package_is_missing(config, monkeypatch):
    """On a machine without TeX the doctor names the programs and packages with the command for each."""
    monkeypatch.setenv("PATH", "/nowhere")
    findings = findings_by_name(config)
    missing = {name for name, finding in findings.items() if not finding.ok and finding.required}
    assert missing == {"xelatex", "latexmk", "bibtex", "pdftotext", "pdftoppm", "LaTeX packages"}
    assert findings["latexmk"].remedy == "sudo apt-get install -y --no-install-recommends latexmk"
    assert findings["LaTeX packages"].remedy == "tlmgr install article booktabs"


def test_a_latex_package_that_tex_does_not_have_is_missing(config):
    """Only the absent package is named, and the remedy names what brings it."""
    (config.templates / "more.tex").write_text("\\usepackage{nosuchpackage}")
    finding = findings_by_name(config)["LaTeX packages"]
    assert (finding.ok, finding.found) == (False, "not found: nosuchpackage.sty")


def test_chinese_fonts_are_asked_for_only_where_the_templates_are_chinese(config):
    """An English report needs no Chinese fonts; one that uses ctex does."""
    assert "Chinese fonts" not in findings_by_name(config)
    (config.templates / "report.tex").write_text("\\documentclass{ctexart}")
    assert findings_by_name(config)["Chinese fonts"].ok


@pytest.mark.parametrize("error", [DataError("train-images is truncated"), ValueError("bad"), OSError("gone")])
def test_damaged_data_are_missing(config, error):
    """What the data source raises is shown as it stands."""
    finding = findings_by_name(config, data=source(error))["data"]
    assert (finding.ok, finding.required, finding.found) == (False, True, str(error))


def test_a_notice_about_the_data_is_passed_on(config):
    """Data that stand in for the real ones are enough to build, and the notice is shown."""
    info = DataInfo("mnist", "0" * 64, {"n_train": 4000}, notice="only 5000 images")
    findings = findings_by_name(config, data=source(info))
    assert findings["data"].ok
    assert (findings["data notice"].required, findings["data notice"].found) == (False, "only 5000 images")


def test_a_full_disk_is_missing_space(config, monkeypatch):
    """Less than a gigabyte stops before a build does half its work."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0.4e9))
    finding = findings_by_name(config)["output folder"]
    assert (finding.ok, finding.found) == (False, "build, 0.4 GB free")


def test_a_folder_that_cannot_be_written_is_missing(config, tmp_path):
    """A file where the folder should be, or a folder without the right to write, is named with the reason."""
    (tmp_path / "build").write_text("in the way")
    finding = findings_by_name(config)["output folder"]
    assert (finding.ok, finding.found) == (False, "build cannot be written: Not a directory")


def test_too_many_jobs_are_a_note(tmp_path):
    """More processes than cores is slow, not impossible."""
    finding = findings_by_name(BuildConfig(root=tmp_path, jobs=10_000))["machine"]
    assert (finding.ok, finding.required) == (False, False)
    assert finding.remedy.startswith("python build.py --jobs ")


def test_table_shows_verdict_remedy_and_sum():
    """Each finding is a row, its remedy stands under it, long text is wrapped, and the last line counts."""
    findings = [
        Finding("Python", ok=True, required=True, found="3.11.7"),
        Finding("latexmk", ok=False, required=True, found="not on PATH", remedy="sudo apt-get install latexmk"),
        Finding("numpy", ok=False, required=False, found="2.4.5 instead of 2.4.6, which is newer by far"),
    ]
    assert doctor_table(findings, width=44).split("\n") == [
        "ok       Python   3.11.7",
        "MISSING  latexmk  not on PATH",
        "                  → sudo apt-get install latexmk",
        "note     numpy    2.4.5 instead of 2.4.6,",
        "                  which is newer by far",
        "",
        "1 required, missing",
    ]
    assert not healthy(findings)
    assert doctor_table(findings[::2]).endswith("everything that a build requires is there")


def test_read_pins_takes_the_runtime_part(tmp_path):
    """Packages for development are not asked for, and comments are no pins."""
    lock = tmp_path / "requirements.lock"
    lock.write_text("# head\n# runtime\nnumpy==2.4.6  # pandas\ntorch==2.13.0\n# development\npytest==9.2.0\n")
    assert read_pins(lock) == ["numpy==2.4.6", "torch==2.13.0"]


def test_template_files_are_read_from_every_form_of_request(tmp_path):
    """Classes, packages with options, lists and own style files are told apart; comments do not count."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.tex").write_text(
        "\\documentclass[UTF8, a4paper]{ctexart}\n"
        "\\usepackage{booktabs, siunitx}\n"
        "\\usepackage[\n  colorlinks,\n]{hyperref} % \\usepackage{commented}\n"
        "50\\% \\usepackage{mine}\n"
    )
    (tmp_path / "mine.sty").write_text("\\RequirePackage{fontspec}")
    assert texlive.template_files(tmp_path) == [
        "booktabs.sty",
        "ctexart.cls",
        "fontspec.sty",
        "hyperref.sty",
        "siunitx.sty",
    ]


def test_locate_returns_what_tex_finds():
    """Files that are there come with their path, others are left out."""
    there = texlive.locate(["article.cls", "nosuchpackage.sty"])
    assert list(there) == ["article.cls"]
    assert there["article.cls"].is_file()


def test_install_command_names_debian_packages(monkeypatch):
    """Each file is mapped to the Debian package that holds it, each package named once."""
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    command = texlive.install_command(["ctexart.cls", "FandolSong-Regular.otf", "booktabs.sty", "siunitx.sty"])
    assert command == (
        "sudo apt-get install -y --no-install-recommends texlive-lang-chinese texlive-latex-extra texlive-science"
    )


def test_version_of_a_program_that_does_not_start_is_empty():
    """A name that is not on PATH is no error."""
    assert texlive.version("no-such-program") == ""
