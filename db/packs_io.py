"""Packs: a city's decisions as readable TOML files, read into versioned rows.

A pack is a folder of folders: `db/packs/<pack>/<kind>/<code>.toml`. Departments, roles, request types and articles have tables
of their own; every other kind becomes a `ReferenceRow`. Loading again adds a version only where a file says something new.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db.accounts import ServiceArea
from db.billing import LedgerAccount
from db.directory import Department, Division, KnowledgeArticle, ReferenceRow
from db.staff import ApprovalLimit, Role, RolePermission

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sqlalchemy.orm import Session

PACKS_DIR = Path(__file__).resolve().parent / "packs"
ALWAYS = dt.date(2000, 1, 1)
"""The day from which a file without `effective_from` counts."""
ORDER = ("department", "role", "service_area", "calendar", "letter", "request_type", "article")
"""Kinds that others name come first."""


@dataclass(frozen=True)
class PackFile:
    """One file of a pack: its kind is its folder, `detail` is all it says."""

    pack: str
    kind: str
    code: str
    path: Path
    detail: dict[str, Any]


class BadPack(ValueError):
    """Files that cannot be loaded; one sentence per problem, all at once."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def read_packs(names: Iterable[str], folder: Path = PACKS_DIR) -> list[PackFile]:
    """All files of these packs; a later pack replaces a file of the same kind and code. Raises `BadPack` with every problem."""
    found: dict[tuple[str, str], PackFile] = {}
    problems = []
    for pack in names:
        if not (folder / pack).is_dir():
            problems.append(
                f"There is no pack “{pack}” in {folder.name}; there are {', '.join(sorted(each.name for each in folder.iterdir() if each.is_dir()))}."
            )
            continue
        for path in sorted((folder / pack).glob("*/*.toml")):
            try:
                detail = _plain(tomllib.loads(path.read_text("utf-8")))
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                problems.append(f"{pack}/{path.parent.name}/{path.name}: {error}")
                continue
            missing = [name for name in ("code", "name") if not isinstance(detail.get(name), str)]
            if missing:
                problems.append(
                    f"{pack}/{path.parent.name}/{path.name}: {' and '.join(missing)} must be given as text."
                )
                continue
            found[path.parent.name, detail["code"]] = PackFile(pack, path.parent.name, detail["code"], path, detail)
    if problems:
        raise BadPack(problems)
    return sorted(
        found.values(),
        key=lambda file: (ORDER.index(file.kind) if file.kind in ORDER else len(ORDER), file.kind, file.code),
    )


def load_packs(
    session: Session,
    names: Iterable[str],
    today: dt.date,
    folder: Path = PACKS_DIR,
    fold: Callable[[str], str] = str.casefold,
    publish: Mapping[str, Callable[[PackFile], bool]] | None = None,
) -> dict[str, int]:
    """Reads packs into the tables; returns how many rows of each kind were new or changed.

    `publish` holds, by kind, what takes a file in through a command of the house (request types), with the same rules as on
    screen; it answers whether the file said something new.
    """
    counts: dict[str, int] = {}
    for file in read_packs(names, folder):
        own = (publish or {}).get(file.kind)
        load = LOADERS.get(file.kind, _load_reference)
        if own(file) if own is not None else load(session, file, today, fold):
            counts[file.kind] = counts.get(file.kind, 0) + 1
            session.flush()
    session.flush()
    return counts


def _plain(value: Any) -> Any:
    """TOML values as JSON ones: dates and times as ISO text."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, (dt.datetime, dt.date, dt.time)):
        return value.isoformat()
    return value


def _since(file: PackFile, fallback: dt.date) -> dt.date:
    text = file.detail.get("effective_from")
    return dt.date.fromisoformat(text) if text else fallback


def _same(left: Any, right: Any) -> bool:
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def _load_department(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    detail = file.detail
    row = session.get(Department, file.code) or Department(code=file.code)
    row.name, row.phone, row.email = detail["name"], detail.get("phone", ""), detail.get("email", "")
    session.add(row)
    session.flush()
    for part in detail.get("division", ()):
        division = session.get(Division, part["code"]) or Division(code=part["code"])
        division.department_code, division.name = file.code, part["name"]
        division.contractor = bool(part.get("contractor", False))
        session.add(division)
    return True


def _load_role(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    """Roles are the administrator's once loaded: a file only adds a role that is not there yet."""
    if session.get(Role, file.code) is not None:
        return False
    session.add(Role(code=file.code, name=file.detail["name"], position=file.detail.get("position", 0)))
    session.flush()
    session.add_all(
        RolePermission(role_code=file.code, permission=permission) for permission in file.detail["permissions"]
    )
    session.add_all(
        ApprovalLimit(role_code=file.code, adjustment_kind=kind, limit_cents=cents)
        for kind, cents in file.detail.get("limits", {}).items()
    )
    return True


def _load_article(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    detail = file.detail
    since = _since(file, ALWAYS)
    row = session.scalars(
        sa.select(KnowledgeArticle)
        .where(KnowledgeArticle.code == file.code)
        .order_by(KnowledgeArticle.effective_from.desc())
        .limit(1)
    ).first()
    words = " ".join((detail["name"], detail.get("topic", ""), " ".join(detail.get("synonyms", ())), detail["body"]))
    if row is not None and row.body == detail["body"].strip() and row.title == detail["name"]:
        return False
    session.add(
        KnowledgeArticle(
            code=file.code,
            title=detail["name"],
            topic=detail.get("topic", ""),
            body=detail["body"].strip(),
            synonyms=", ".join(detail.get("synonyms", ())),
            citation=detail.get("citation", ""),
            effective_from=since if row is None else max(today, since),
            search_text=fold(words),
        )
    )
    return True


def _load_service_area(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    row = session.get(ServiceArea, file.code) or ServiceArea(code=file.code)
    row.name, row.kind, row.polygon = file.detail["name"], file.detail.get("kind", "district"), file.detail["polygon"]
    session.add(row)
    return True


def _load_reference(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    newest = session.scalars(
        sa.select(ReferenceRow)
        .where(ReferenceRow.kind == file.kind, ReferenceRow.code == file.code)
        .order_by(ReferenceRow.effective_from.desc())
        .limit(1)
    ).first()
    if newest is not None and _same(newest.detail, file.detail):
        return False
    since = _since(file, ALWAYS if newest is None else today)
    if newest is not None and newest.effective_from >= since:
        newest.name, newest.position, newest.detail = file.detail["name"], file.detail.get("position", 0), file.detail
        return True
    session.add(
        ReferenceRow(
            kind=file.kind,
            code=file.code,
            name=file.detail["name"],
            position=file.detail.get("position", 0),
            effective_from=since,
            detail=file.detail,
        )
    )
    return True


SIDES = ("asset", "liability", "income", "expense")


def _load_ledger_account(session: Session, file: PackFile, today: dt.date, fold: Callable[[str], str]) -> bool:
    """The chart of accounts only grows: a code that has postings must mean the same for ever. So a new code becomes a row, its
    name and number in the general ledger may change from a day on (the reference row's versions), its side never."""
    detail = file.detail
    if detail.get("kind") not in SIDES:
        raise BadPack([f"{file.kind}/{file.code}: kind must be one of {', '.join(SIDES)}."])
    row = session.get(LedgerAccount, file.code)
    if row is not None and row.kind != detail["kind"]:
        sentence = f"it is {row.kind} in the ledger and cannot become {detail['kind']}; give the new account a code of its own."
        raise BadPack([f"{file.kind}/{file.code}: {sentence}"])
    if row is None:
        session.add(
            LedgerAccount(
                code=file.code, name=detail["name"], kind=detail["kind"], gl_code=str(detail.get("gl_code", ""))
            )
        )
        session.flush()
    return _load_reference(session, file, today, fold)


LOADERS: dict[str, Callable[[Session, PackFile, dt.date, Callable[[str], str]], bool]] = {
    "department": _load_department,
    "role": _load_role,
    "article": _load_article,
    "service_area": _load_service_area,
    "ledger_account": _load_ledger_account,
}


def pack_names(folder: Path = PACKS_DIR) -> Iterator[str]:
    yield from sorted(each.name for each in folder.iterdir() if each.is_dir())
