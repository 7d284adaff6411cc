"""`portal import request-types`: what other cities' files say of request types becomes versions here, not yet in use."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from db import core, directory
from db import service_requests as rows
from portal.service_requests.commands.request_types import publish_request_type
from portal.service_requests.rules import import_type
from portal.service_requests.rules.publish import PublishForm
from portal.service_requests.views import in_force
from portal.shared.actor import SYSTEM
from portal.shared.refusal import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

IMPORTED = "Imported"
"""The group of a type whose file names none."""


@dataclass
class Outcome:
    """What came of an import; read = created + updated + unchanged + existing + rejected types."""

    read: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    existing: int = 0
    """In use here already, and left as they are."""
    rejected: int = 0
    rejects: list[import_type.Reject] = field(default_factory=list)


def import_request_types(
    files: Sequence[tuple[str, bytes]],
    department: str | None,
    *,
    in_use: bool = False,
    update: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Publishes what the files propose, each type by the command the page uses. A type that is in use here is left alone
    unless `update`; a new one is not offered for new requests unless `in_use`. Raises `import_type.BadFile`."""
    proposals = import_type.read_files(files)
    outcome = Outcome(read=proposals.read, rejects=list(proposals.rejects))
    with core.read() as session:
        known = {row.code for row in directory.departments(session)}
    needs = [each for each in proposals.found.values() if not each.whole and "department" not in each.detail]
    if department is not None and department not in known:
        raise import_type.BadFile(f"There is no department “{department}”. Known are {', '.join(sorted(known))}.")
    for code, proposal in proposals.found.items():
        with core.read() as session:
            newest = next(iter(rows.request_type_versions(session, code)), None)
            now = rows.request_type_in_force(session, code, in_force.local_day())
        if now is not None and now.active and not update:
            outcome.existing += 1
            continue
        if newest is None and department is None and proposal in needs:
            outcome.rejects.append(
                import_type.Reject(proposal.where, "department", f"The file names no department. Add --department, one of {', '.join(sorted(known))}.")
            )  # fmt: skip
            continue
        detail = _detail(code, proposal, None if newest is None else newest.detail, department, in_use=in_use)
        try:
            receipt = publish_request_type(SYSTEM, PublishForm(detail))
        except Refused as refused:
            outcome.rejects += [
                import_type.Reject(proposal.where, problem.field, problem.message) for problem in refused.problems
            ]
            continue
        if receipt.subject_id == 0:
            outcome.unchanged += 1
        elif newest is None:
            outcome.created += 1
        else:
            outcome.updated += 1
        say(receipt.title)
    taken = outcome.created + outcome.updated + outcome.unchanged + outcome.existing
    outcome.rejected = outcome.read - taken
    return outcome


def _detail(
    code: str,
    proposal: import_type.Proposal,
    before: Mapping[str, Any] | None,
    department: str | None,
    *,
    in_use: bool,
) -> dict[str, Any]:
    if proposal.whole:
        return dict(proposal.detail)
    begun = dict(before) if before is not None else {"active": in_use, **import_type.NEW}
    detail = begun | {"group": begun.get("group", IMPORTED)} | dict(proposal.detail) | {"code": code}
    if department is not None:
        if detail.get("department") != department:
            detail.pop("division", None)
        detail["department"] = department
    return detail


def run_command(paths: Sequence[Path], department: str | None, *, in_use: bool, update: bool, json_answer: bool) -> int:
    """What the portal command does: 0 when the files were read to their end, 2 when one is unusable."""
    files = []
    try:
        for path in paths:
            files.append((path.name, path.read_bytes()))
        outcome = import_request_types(files, department, in_use=in_use, update=update, say=_say)
    except OSError as error:
        _say(f"{error.filename}: {error.strerror}.")
        return 2
    except import_type.BadFile as problem:
        _say(str(problem))
        return 2
    for reject in outcome.rejects:
        _say(f"Left out: {reject.where}, {reject.field}: {reject.reason}")
    _say(
        f"Read {outcome.read}: {outcome.created} new, {outcome.updated} changed, {outcome.unchanged} unchanged, "
        f"{outcome.existing} in use here already, {outcome.rejected} left out."
    )
    if json_answer:
        sys.stdout.write(json.dumps(asdict(outcome), ensure_ascii=False) + "\n")
    return 0


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
