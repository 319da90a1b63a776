#!/usr/bin/env bash
# Install what the report needs; the Makefile calls it, and only when something may be missing.
#
#   tools/setup.sh system    TeX Live, latexmk and poppler, through apt where there is apt
#   tools/setup.sh python    a virtual environment in .venv with the versions of requirements.lock
#   tools/setup.sh browser   Chromium for the tests of the live page, where it can be installed
#   tools/setup.sh which     print the Python that would be used
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# The version that the lock was made with comes first.
PYTHONS=(python3.11 python3.12 python3.13 python3)
PROGRAMS=(xelatex latexmk bibtex kpsewhich pdftotext pdftoppm)
# One file of each TeX package below; `python build.py doctor` checks every package that the templates name.
TEX_FILES=(ctexart.cls FandolSong-Regular.otf booktabs.sty fontspec.sty caption.sty lmroman10-regular.otf)
APT=(texlive-xetex texlive-lang-chinese texlive-latex-extra texlive-fonts-recommended fonts-lmodern latexmk poppler-utils)

say() { printf '==> %s\n' "$*" >&2; }

stop() {
    printf 'setup: %s\n' "$1" >&2
    shift
    if (($#)); then printf '  → %s\n' "$@" >&2; fi
    exit 1
}

missing_from_system() {
    local name found
    for name in "${PROGRAMS[@]}"; do
        command -v "$name" >/dev/null || echo "$name"
    done
    command -v kpsewhich >/dev/null || return 0
    found=$(kpsewhich "${TEX_FILES[@]}" || true)
    for name in "${TEX_FILES[@]}"; do
        grep -q "/$name\$" <<<"$found" || echo "$name"
    done
}

# apt_install REASON PACKAGE…: as root, or through sudo where it asks for no password.
apt_install() {
    local reason=$1 root=() command=(apt-get install -y --no-install-recommends "${@:2}")
    command -v apt-get >/dev/null || stop "$reason, and there is no apt-get here" \
        "install what these Debian packages hold: ${*:2}"
    if ((EUID)); then
        sudo -n true 2>/dev/null || stop "$reason, and installing it needs root" "sudo ${command[*]}"
        root=(sudo -n)
    fi
    root+=(env DEBIAN_FRONTEND=noninteractive)
    say "$reason: ${command[*]}"
    # Package lists may be absent or stale; they are fetched only then.
    if ! "${root[@]}" "${command[@]}" -qq >/dev/null 2>&1; then
        "${root[@]}" apt-get update -qq || stop "apt-get update failed (see above)" "sudo apt-get update"
        "${root[@]}" "${command[@]}" -qq >/dev/null || stop "apt-get could not install: ${*:2}" "sudo ${command[*]}"
    fi
}

install_system() {
    local missing
    missing=$(missing_from_system | xargs)
    [[ -z $missing ]] && return
    apt_install "not installed: $missing" "${APT[@]}"
    missing=$(missing_from_system | xargs)
    [[ -z $missing ]] || stop "still missing after the installation: $missing" \
        "is another TeX Live first on PATH? 'command -v xelatex' tells"
}

# Without it the tests of the live page are skipped, which is no reason to stop.
install_browser() {
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && return
    (apt_install "no Chromium for the tests of the live page" chromium) ||
        say "going on without Chromium: the tests of the live page are skipped"
}

# A name on PATH is not enough: pyenv puts names there that start nothing.
find_python() {
    local name
    for name in "${PYTHONS[@]}"; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    return 1
}

install_python() {
    local python version quiet=()
    if ! python=$(find_python); then
        apt_install "no Python of 3.11 or later" python3 python3-venv
        python=$(find_python) || stop "Python 3.11 or later is needed, found $(python3 --version 2>&1)" \
            "install it from python.org, or with pyenv or uv"
    fi
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
        apt_install "$version cannot make virtual environments" "$version-venv"
    fi
    # Also after an upgrade or a move of the Python that the old environment was made with.
    .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
        "$python" -m venv --clear .venv
    say "installing requirements.lock into .venv (about 1.6 GB, minutes at the first time)"
    [[ -t 1 ]] || quiet=(-qq)
    .venv/bin/python -m pip install --disable-pip-version-check "${quiet[@]}" -r requirements.lock ||
        stop "pip could not install requirements.lock (see above)" "a second 'make setup' continues"
}

case ${1:-} in
    system) install_system ;;
    python) install_python ;;
    browser) install_browser ;;
    which) find_python ;;
    *) stop "usage: tools/setup.sh system|python|browser|which" ;;
esac
