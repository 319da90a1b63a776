"""The first and the last function that a Dask worker executes for a build.

They are made inside functions, so that they travel as code and the worker needs no module of ours to read them.
What they use they import where they run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Answer = tuple[dict[str, Any], bytes]


def make_entry(name: str, topic: str) -> Callable[[bytes, Mapping[str, Any], Mapping[str, bytes]], Answer]:
    """Return the function that executes a run on a worker.

    Parameters
    ----------
    name : str
        Name of the code on the worker; ends with the digest of its zip.
    topic : str
        The Dask topic under which progress is sent.
    """

    def perform(code: bytes, job: Mapping[str, Any], blobs: Mapping[str, bytes]) -> Answer:
        import hashlib  # noqa: PLC0415 - executed elsewhere
        import importlib.util  # noqa: PLC0415 - likewise
        import io  # noqa: PLC0415 - likewise
        import json  # noqa: PLC0415 - likewise
        import sys  # noqa: PLC0415 - likewise
        import tempfile  # noqa: PLC0415 - likewise
        import zipfile  # noqa: PLC0415 - likewise

        import distributed  # noqa: PLC0415 - likewise

        worker = distributed.get_worker()
        key = worker.get_current_task()
        module: Any = sys.modules.get(name)
        if module is None:
            if not name.endswith(hashlib.sha256(code).hexdigest()):
                raise RuntimeError("the code was damaged on the way")
            folder = tempfile.mkdtemp(prefix="report-code-", dir=worker.local_directory)  # Dask removes it at the end
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(folder)
            spec: Any = importlib.util.spec_from_file_location(name, f"{folder}/report/cluster_worker.py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            module = sys.modules.setdefault(name, module)  # another thread may have been faster
        said = ""

        def look(progress: object) -> bool:
            nonlocal said
            text = json.dumps(progress)
            if progress is not None and text != said:
                said = text
                worker.log_event(topic, {"id": job["id"], "progress": text})
            task = worker.state.tasks.get(key)
            return task is not None and task.state != "cancelled"

        answer: Answer = module.perform(job, blobs, look)
        return answer

    return perform


def make_exit(name: str) -> Callable[[], None]:
    """Return the function that ends the processes that wait for work on a worker."""

    def leave() -> None:
        import sys  # noqa: PLC0415 - executed elsewhere

        module: Any = sys.modules.get(name)
        if module is not None:
            module.close_idle()

    return leave
