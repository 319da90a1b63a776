"""A process that a Dask worker starts to execute runs: requests come in on standard input, answers go out.

It works in the folder of the unpacked code, as a local worker process works in the checkout; the folder's
store holds what was sent.
"""

from __future__ import annotations

import json
import os
import select
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from report.errors import ReportError, RunError
from report.fingerprint import Fingerprint, versions_of
from report.model import SCHEMA
from report.wire import PackedData, decode_run, encode_error
from report.worker import RunRequest, perform_run, prepare_process

if TYPE_CHECKING:
    from collections.abc import Iterator

_IDLE_SECONDS = 120.0
"""A child that is not needed gives its memory back; the next run starts another."""


def answer(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Execute a job in the folder of the unpacked code; return what came of it as JSON data."""
    try:
        _refuse_other_versions(job)
        return {"finished": asdict(perform_run(_request(job, folder)))}
    except ReportError as error:
        return {"error": encode_error(error)}
    except ImportError as error:
        return {"error": encode_error(RunError(f"{job['label']}: a module is missing on the worker: {error}"))}


def _refuse_other_versions(job: dict[str, Any]) -> None:
    """Refuse what a worker that has just joined cannot compute; the client has looked at the others before."""
    wanted = {**job["versions"], "schema": str(job["schema"])}
    found = {**versions_of(frozenset(job["versions"].keys() - {"python"})), "schema": str(SCHEMA)}
    wrong = [
        f"{name} is {wanted[name]} here and {found[name]} on the worker"
        for name in sorted(wanted)
        if wanted[name] != found[name]
    ]
    if wrong:
        raise RunError(f"{job['label']}: {'; '.join(wrong)}", hint="install requirements.lock on every worker")


def _request(job: dict[str, Any], folder: Path) -> RunRequest:
    data = PackedData(job["data_class"], folder, job["data"]) if job["data"] else None
    return RunRequest(
        label=job["label"],
        run=decode_run(job["run"]),
        fingerprint=Fingerprint(job["key"], {}),
        upstream=job["upstream"],
        store=folder,
        root=folder,
        data=data,
        seed=job["seed"],
        device=job["device"],
        precision=job["precision"],
        progress_file=folder / "progress" / f"{job['id']}.json",
    )


def _requests() -> Iterator[bytes]:
    while select.select([sys.stdin], [], [], _IDLE_SECONDS)[0]:
        line = sys.stdin.buffer.readline()
        if not line:
            return
        yield line


def main() -> None:
    """Answer until there is nothing to do, or the worker has ended."""
    prepare_process(int(sys.argv[1]))
    folder = Path(sys.argv[2])
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as replies:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a run prints goes to the worker's log
        for line in _requests():
            replies.write(json.dumps(answer(json.loads(line), folder)) + "\n")
            replies.flush()


if __name__ == "__main__":
    main()
