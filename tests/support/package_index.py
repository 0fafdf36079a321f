"""A package index on loopback: the wheels that the locks name, and of every package a newer release too.

It stands for the day after a lock was written, when each package has released again: an installation that resolves
anything instead of taking what the lock names then finds the newer release, which has no hash.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

NEWER: Final = "9999"
"""The version of the releases that no lock names."""
_PIN: Final = re.compile(r"^([\w.-]+)==([^\s;\\]+)", re.MULTILINE)


def pins(lock: Path) -> set[tuple[str, str]]:
    """Return name and version of every entry of a lock, those for other platforms and other Pythons too."""
    return {(normalized(name), version) for name, version in _PIN.findall(lock.read_text(encoding="utf-8"))}


def version_of(wheel: Path) -> str:
    """Return the version in a wheel's file name."""
    return wheel.name.split("-")[1]


def name_of(wheel: Path) -> str:
    """Return the package's name in a wheel's file name, as the index spells it."""
    return normalized(wheel.name.split("-")[0])


def normalized(name: str) -> str:
    """Return a package's name as the index spells it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_wheels(lock: Path, cache: Path) -> list[Path]:
    """Return the wheels that `lock` names for this interpreter, from the index that pip is configured for.

    They are kept in `cache`, so that they come from the network once for each state of the lock. Where pip fails, the
    test fails: without the packages nothing can be said of their installation.
    """
    kept = cache / lock.stem
    folder = kept / hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    if not folder.is_dir():
        shutil.rmtree(kept, ignore_errors=True)
        partly = kept / "partly"
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--require-hashes", "--only-binary", ":all:", "--dest", str(partly), "--requirement", str(lock)],
            check=True,
            timeout=240,
        )  # fmt: skip
        partly.rename(folder)
    return sorted(folder.glob("*.whl"))


def newer_release(name: str, folder: Path) -> Path:
    """Write a wheel of `name` that holds nothing but its metadata, and return its path."""
    stem = name.replace("-", "_")
    path, info = folder / f"{stem}-{NEWER}-py3-none-any.whl", f"{stem}-{NEWER}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {NEWER}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return path


@contextmanager
def package_index(wheels: Sequence[Path], folder: Path) -> Iterator[str]:
    """Serve `wheels` and a newer release of each as a simple index (PEP 503) below `folder`; yield its URL."""
    files = folder / "files"
    files.mkdir(parents=True)
    pages: dict[str, list[Path]] = {}
    for wheel in wheels:
        served = files / wheel.name
        served.symlink_to(wheel.resolve())
        pages.setdefault(name_of(wheel), []).append(served)
    for name, listed in pages.items():
        listed.append(newer_release(name, files))
        page = folder / "simple" / name / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text("<!DOCTYPE html><html><body>" + "".join(map(_link, listed)) + "</body></html>")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/simple/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _link(file: Path) -> str:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return f'<a href="../../files/{file.name}#sha256={digest}">{file.name}</a><br>'


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Write nothing: a request is no event of a test."""
