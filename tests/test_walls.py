"""Each wall of the house stands: a planted violation of it breaks that contract, and the house itself breaks none."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# The contract, the file the violation is planted in, and the planted line.
VIOLATIONS = [
    ("Floors", "db/planted.py", "import portal.shared"),
    ("Floors", "portal/shared/planted.py", "import pages"),
    ("Pages never import db", "pages/planted.py", "import db.core"),
    ("Rooms", "portal/billing/planted.py", "import portal.waste.planted"),
    ("Rooms", "db/staff.py", "import db.accounts"),
    ("Rooms", "portal/metering/planted.py", "import db.billing"),
    ("Rooms", "portal/billing/planted.py", "import portal.desk"),
    ("Rules are pure", "portal/billing/rules/planted.py", "import sqlalchemy"),
    ("Rules are pure", "portal/billing/rules/planted.py", "import db.billing"),
    ("Rules of one room", "portal/billing/rules/planted.py", "import portal.metering.rules"),
    ("numpy only", "portal/billing/rules/planted.py", "import numpy"),
    ("Streamlit and Plotly", "portal/metering/views.py", "import plotly"),
    ("Streamlit and Plotly", "db/planted.py", "import streamlit"),
    ("pandas only", "portal/billing/commands.py", "import pandas"),
    ("pandas only", "pages/planted.py", "import pandas"),
    ("Pages stand side by side", "pages/planted.py", "import pages.other"),
    ("No import cycles", "portal/shared/planted.py", "import portal.shared.other"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the house's Python files and of its contracts."""
    for floor in ("portal", "db", "pages"):
        shutil.copytree(
            ROOT / floor,
            tmp_path / floor,
            ignore=lambda folder, names: [
                name for name in names if not (Path(folder) / name).is_dir() and not name.endswith(".py")
            ],
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(house: Path) -> list[str]:
    """Names of the contracts that do not hold in this copy."""
    done = subprocess.run(
        [str(Path(sys.prefix) / "bin" / "lint-imports"), "--no-logo", "--no-cache"],
        cwd=house,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert "Contracts:" in done.stdout, done.stdout + done.stderr
    return [line.removesuffix(" BROKEN") for line in done.stdout.splitlines() if " BROKEN" in line]


def plant(house: Path, file: str, line: str) -> None:
    path = house / file
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in path.relative_to(house).parents:
        (house / folder / "__init__.py").touch()
    with path.open("a") as source:
        source.write(f"\n{line}\n")


def test_the_house_keeps_its_walls() -> None:
    assert broken_contracts(ROOT) == []


@pytest.mark.parametrize(("wall", "file", "line"), VIOLATIONS)
def test_a_planted_violation_is_found(house: Path, wall: str, file: str, line: str) -> None:
    # What the planted lines name must exist, or there is nothing to import.
    plant(house, "portal/waste/planted.py", "")
    plant(house, "portal/desk/planted.py", "")
    plant(house, "portal/metering/rules/planted.py", "")
    plant(house, "pages/other.py", "")
    plant(house, "portal/shared/other.py", "import portal.shared.planted")
    plant(house, "portal/shared/planted.py", "")
    plant(house, file, line)
    assert any(name.startswith(wall) for name in broken_contracts(house))


def test_what_is_planted_only_for_the_type_checker_is_let_through(house: Path) -> None:
    plant(house, "portal/billing/rules/planted.py", "from typing import TYPE_CHECKING")
    plant(house, "portal/billing/rules/planted.py", "if TYPE_CHECKING:\n    import db.billing")
    assert broken_contracts(house) == []
