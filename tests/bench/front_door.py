"""The portal's front door with the trivial page behind it, at every address: what menu, sign-in and call bar cost alone."""

import os
from pathlib import Path

from portal.desk import app, go


def main() -> None:
    """One run of the desk whose pages are all `trivial.py`."""
    if go.PAGES_DIR.name != "trivial_pages":
        go.PAGES_DIR = trivial_pages()
    app.main()


def trivial_pages() -> Path:
    """A folder in which every page of the house is the trivial one."""
    folder = Path(os.environ["PORTAL_DATA_DIR"]) / "trivial_pages"
    folder.mkdir(parents=True, exist_ok=True)
    for spec in app.PAGES:
        page = folder / f"{spec.name}.py"
        if not page.is_symlink():
            page.symlink_to(Path(__file__).with_name("trivial.py"))
    return folder


main()
