"""The options of the command line, and its help."""

from __future__ import annotations

import argparse
from pathlib import Path

from report.config import PROFILES

COMMANDS = {
    "build": "Compute what is missing, fill the templates, compile the PDF. Stored results are reused.",
    "doctor": "Say what is present and what is missing.",
    "archive": "Pack the last build as a folder or zip that compiles elsewhere with XeLaTeX alone; sh verify.sh in it "
    "checks it. Nothing is computed.",
    "clean": "Remove the build folder.",
    "check": "Hold prose against the results.",
    "diff": "Say what changed since other results.",
    "watch": "Build after every save, and show pages, errors and checks in the browser. Ctrl-C ends.",
}
_EPILOG = """\
commands:
  check    hold every number and sentence against the results; check DOCUMENT does so for a text written elsewhere
  diff     say what changed since the last build, a results file or a git revision, and the sentences it touches
  watch    build after every save and show the pages in the browser, see 'watch --help'
  doctor   say what is present, what is missing, and the command that brings it
  archive  pack the last build so that it compiles and can be verified without Python (--to FILE.zip or DIR)
  clean    remove the build folder (with --all also the stored results)

examples:
  python build.py                        the whole report
  python build.py --profile quick        short trainings, a few minutes
  python build.py --only lda --explain   why section lda would be computed again
  python build.py --force cnn            compute section cnn anew
  python build.py --seeds 20 --plan      how long twenty seeds would take

exit codes:
  0  done            1  failed, one message says where and what to do
  2  wrong usage     3  check: something is contradicted (with --strict also unchecked or fragile)
                   130  interrupted; what had finished is kept, the next build continues
"""


def parser_of(command: str) -> argparse.ArgumentParser:
    """Return the parser of a command; ``build`` is what runs when none is named."""
    if command == "clean":
        parser = argparse.ArgumentParser(prog="build.py clean", description=COMMANDS[command])
        parser.add_argument(
            "--all", action="store_true", help="remove the stored results too: everything is recomputed"
        )
        parser.add_argument("--out", type=Path, metavar="DIR", help="build folder (default: build)")
        return parser
    parser = argparse.ArgumentParser(
        prog="build.py" if command == "build" else f"build.py {command}",
        description=COMMANDS[command],
        epilog=_EPILOG if command == "build" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for report.pdf and the rest (default: build)")
    if command == "archive":
        parser.add_argument("--to", type=Path, metavar="FILE.zip|DIR", help="default: report.zip in the build folder")
        return parser
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder with the data files (default: $MNIST_DIR)")
    if command == "doctor":
        return parser
    parser.add_argument("--profile", choices=PROFILES, help="full (default) or quick: short trainings to try things")
    parser.add_argument("--only", nargs="+", default=[], metavar="SECTION", help="compute these sections; others are "
                        "printed only where their stored results are up to date")  # fmt: skip
    parser.add_argument("--force", nargs="+", default=[], metavar="SECTION", help="compute these anew, or 'all'")
    parser.add_argument("--jobs", type=int, metavar="N", help="worker processes (default: one per core)")
    parser.add_argument("--cluster", metavar="ADDRESS", help="execute runs on a Dask cluster: tcp://host:port or a "
                        "scheduler file; see docs/cluster.md")  # fmt: skip
    parser.add_argument("--cache", metavar="URL", dest="shared_cache", help="share outcomes with others: a folder, "
                        "s3://… or https://… (read-only); see docs/shared-cache.md")  # fmt: skip
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where networks are trained")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32", help="arithmetic of trained networks")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="start of every random stream (default: 0)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="compute every section with N seeds")
    parser.add_argument(
        "--draft", action="store_true", help="colour what the results contradict, with a note beside it"
    )
    if command in {"check", "diff"}:
        from report.check.cli import add_arguments  # noqa: PLC0415 - only these commands need it

        add_arguments(parser, command)
        return parser
    if command == "watch":
        parser.add_argument("--port", type=int, metavar="N", help="on 127.0.0.1 (default: 8137, or a free one)")
        parser.add_argument("--no-browser", action="store_true", help="do not open the page")
        parser.add_argument("--editor", default="", metavar="COMMAND", help="opens a template, e.g. 'code -g "
                            "{file}:{line}' (default: $REPORT_EDITOR, $VISUAL or $EDITOR)")  # fmt: skip
        return parser
    parser.add_argument(
        "--plan", nargs="*", type=_count, metavar="K", help="say how much there is to compute and how long it takes "
        "on K workers; do nothing"
    )  # fmt: skip
    parser.add_argument(
        "--explain", action="store_true", help="say why each run will or will not be executed; do nothing"
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"at least 1, got {text}")
    return number
