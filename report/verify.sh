#!/bin/sh
# Checks every digest, compiles the report in a temporary folder and compares its text with that of @NAME@.pdf.
# Ends with 0 when all is as it was. Needs XeLaTeX and pdftotext, no Python, no network.
set -eu
cd "$(dirname "$0")"

if command -v sha256sum >/dev/null 2>&1; then
    sha256sum -c MANIFEST.sha256 >/dev/null || { echo "verify: a file was changed or lost" >&2; exit 1; }
else
    shasum -a 256 -c MANIFEST.sha256 >/dev/null || { echo "verify: a file was changed or lost" >&2; exit 1; }
fi
echo "verify: every file is as it was"

for program in xelatex pdftotext; do
    command -v "$program" >/dev/null 2>&1 || { echo "verify: $program is not installed; the text was not compared" >&2; exit 2; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cp -R . "$work/report"
cd "$work/report"
pdftotext -layout @NAME@.pdf "$work/expected.txt"
rm @NAME@.pdf

# The same date, and nothing of this machine's settings; TeX reads and writes in this folder only.
export SOURCE_DATE_EPOCH=@EPOCH@ FORCE_SOURCE_DATE=1 TZ=UTC openin_any=p openout_any=p
unset TEXINPUTS BIBINPUTS BSTINPUTS

latex() {
    xelatex -no-shell-escape -interaction=nonstopmode -halt-on-error @NAME@.tex >"$work/log.txt" 2>&1 || {
        tail -n 30 "$work/log.txt" >&2
        echo "verify: XeLaTeX failed" >&2
        exit 1
    }
}
state() { cat @NAME@.aux @NAME@.toc @NAME@.out @NAME@.lof @NAME@.lot 2>/dev/null | cksum; }

latex
maker=@MAKER@
if [ -n "$maker" ] && command -v "$maker" >/dev/null 2>&1; then
    rm -f @NAME@.bbl
    "$maker" @NAME@ >"$work/log.txt" 2>&1 || { cat "$work/log.txt" >&2; echo "verify: $maker failed" >&2; exit 1; }
    latex
fi
passes=0 before=
while [ "$before" != "$(state)" ] && [ "$passes" -lt 5 ]; do
    before=$(state)
    latex
    passes=$((passes + 1))
done

pdftotext -layout @NAME@.pdf "$work/found.txt"
if ! cmp -s "$work/expected.txt" "$work/found.txt"; then
    diff "$work/expected.txt" "$work/found.txt" | head -n 40 >&2 || true
    echo "verify: the document compiles, but its text is another one (see above)" >&2
    exit 1
fi
echo "verify: the document compiles and its text is that of @NAME@.pdf"
