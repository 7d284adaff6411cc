"""The `portal` command: run the portal, migrate, back up, fill a demo city, import, check the audit chain, pure calculators.

Imports stand inside the commands: `portal sla due` must answer in under a second and load neither Streamlit nor a database.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from portal.settings import Settings

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help="Citizen Services Portal"
)
staff_app = typer.Typer(no_args_is_help=True, help="People of the desk")
audit_app = typer.Typer(no_args_is_help=True, help="The audit chain")
import_app = typer.Typer(no_args_is_help=True, help="Bring a city's files in")
sla_app = typer.Typer(no_args_is_help=True, help="Due times (pure calculator)")
app.add_typer(staff_app, name="staff")
app.add_typer(audit_app, name="audit")
app.add_typer(import_app, name="import")
app.add_typer(sla_app, name="sla")
report_app = typer.Typer(no_args_is_help=True, help="Figures for other programs")
app.add_typer(report_app, name="report")
ledger_app = typer.Typer(no_args_is_help=True, help="The ledger: prove it, add it up")
app.add_typer(ledger_app, name="ledger")


def _settings(**overrides: Any) -> Settings:
    from portal import settings

    return settings.load_or_exit(**overrides)


def _connect(**overrides: Any) -> Settings:
    """Settings and the database they name; an outdated schema ends the command with the remedy."""
    from portal import upkeep

    setting = _settings(**overrides)
    upkeep.connect(setting)
    problem = upkeep.schema_problem()
    if problem:
        _fail(problem)
    return setting


def _fail(*sentences: str, code: int = 2) -> None:
    for sentence in sentences:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


@app.command()
def run(
    demo: Annotated[
        bool, typer.Option("--demo", help="Sign in by choosing a person of the demo city (loopback only)")
    ] = False,
) -> None:
    """Serves the portal until it is stopped."""
    from portal import server

    overrides = {"demo": True} if demo else {}
    server.serve(_settings(**overrides), demo=demo)


@app.command()
def work() -> None:
    """Does the work behind the screen (deliveries, nightly work) until it is stopped; several may run, on several machines."""
    import logging
    import signal
    import threading

    from db import core
    from portal import settings
    from portal.server import mail_refusals
    from portal.workers import behind

    setting = _connect()
    if found := mail_refusals(setting):
        _fail(*found)
    settings.use(setting)
    core.live_as_of(setting.as_of if setting.demo else None)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    ended = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: ended.set())
    working = behind()
    working.start()
    typer.echo("Working behind the screen. Stop it with Ctrl+C.", err=True)
    ended.wait()
    working.stop()


@app.command("webhook-secret")
def webhook_secret(code: Annotated[str, typer.Argument(help="Code of the delivery_target")]) -> None:
    """Prints the secret to give to a receiver: it checks with it that a message is ours."""
    from portal.contacts.commands import delivering

    try:
        typer.echo(delivering.webhook_secret(_connect(), code))
    except LookupError as problem:
        _fail(str(problem.args[0]))


@app.command()
def migrate() -> None:
    """Brings the database to the schema of this version; backs it up first."""
    from portal import upkeep

    setting = _settings()
    upkeep.connect(setting)
    for line in upkeep.migrate(setting):
        typer.echo(line, err=True)


@app.command()
def backup(file: Path) -> None:
    """Writes the whole database to FILE, also while the portal serves."""
    from portal import upkeep

    setting = _connect()
    typer.echo(upkeep.backup(setting, file), err=True)


@app.command()
def restore(file: Path, force: Annotated[bool, typer.Option("--force", help="Replace what is there")] = False) -> None:
    """Puts a backup in place of the database; the portal must be stopped."""
    from portal import upkeep

    setting = _settings()
    try:
        typer.echo(upkeep.restore(setting, file, force=force), err=True)
    except upkeep.CannotRestore as problem:
        _fail(str(problem))


@app.command("demo-city")
def demo_city(
    accounts: Annotated[int, typer.Option(min=20, max=500_000)] = 2000,
    years: Annotated[int, typer.Option(min=1, max=15)] = 3,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    as_of: Annotated[str | None, typer.Option(help="Fixes today: YYYY-MM-DD")] = None,
    requests: Annotated[
        int | None, typer.Option(min=0, help="How many service requests (default: by the number of accounts)")
    ] = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing when the demo city is there already")
    ] = False,
) -> None:
    """Fills an empty database with a made-up city: same seed, same city."""
    from portal import demo_city, upkeep

    try:
        day = dt.date.fromisoformat(as_of) if as_of else None
    except ValueError:
        _fail(f"--as-of: “{as_of}” is not a day; write it as 2026-11-24.")
    setting = _settings(**({"as_of": day} if day else {}))
    upkeep.connect(setting)
    if upkeep.is_empty():
        upkeep.migrate(setting)
    problem = upkeep.schema_problem()
    if problem:
        _fail(problem)
    try:
        counts = demo_city.build(
            setting,
            accounts=accounts,
            years=years,
            seed=seed,
            as_of=day,
            requests=requests,
            if_empty=if_empty,
            progress=lambda line: typer.echo(line, err=True),
        )
    except demo_city.NotADemo as problem_found:
        _fail(str(problem_found))
    else:
        typer.echo(str(counts), err=True)


@app.command()
def packs(
    names: Annotated[
        list[str] | None, typer.Argument(help="Packs to load, later ones override (default: base)")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Folder of packs (default: the ones shipped)")] = None,
) -> None:
    """Loads packs: departments, roles, request types, calendars, tariffs and policies as readable files."""
    from portal import upkeep

    _connect()
    try:
        for kind, count in upkeep.load_packs(names or ["base"], folder).items():
            typer.echo(f"{kind}: {count} new or changed", err=True)
    except upkeep.BadPack as problem:
        _fail(*problem.problems)


@staff_app.command("add")
def staff_add(
    issuer: Annotated[str, typer.Option(help="Address of the identity provider")],
    subject: Annotated[str, typer.Option(help="The provider's number for this person")],
    role: Annotated[list[str], typer.Option(help="Role code; may be given more than once")],
    name: Annotated[str, typer.Option(help="Name as colleagues know it")] = "",
    email: Annotated[str, typer.Option()] = "",
    division: Annotated[str | None, typer.Option()] = None,
) -> None:
    """Lets a person in (the first administrator is made here)."""
    from portal import upkeep
    from portal.shared.actor import SYSTEM
    from portal.shared.refusal import Refused
    from portal.staff import commands
    from portal.staff.rules import StaffForm

    upkeep.ensure_packs(_connect())
    try:
        receipt = commands.add_staff(SYSTEM, StaffForm(issuer, subject, name or subject, tuple(role), email, division))
    except Refused as refused:
        _fail(*(f"--{problem.field}: {problem.message}" for problem in refused.problems))
    else:
        typer.echo(receipt.title, err=True)


@audit_app.command("verify")
def audit_verify() -> None:
    """Walks every chain of events; names each changed, inserted or removed row. Exit 1 if there is one."""
    from portal import upkeep

    _connect()
    faults = 0
    for fault in upkeep.audit_faults():
        faults += 1
        typer.echo(f"{fault.shard} event {fault.seq}: {fault.what}")
    typer.echo(upkeep.audit_sentence(faults), err=True)
    raise typer.Exit(1 if faults else 0)


@audit_app.command("seal")
def audit_seal() -> None:
    """Seals the heads of all chains together now."""
    from portal import upkeep

    _connect()
    upkeep.seal()


@import_app.command("requests")
def import_requests(
    file: Path,
    map_file: Annotated[Path, typer.Option("--map", help="TOML file that says which column is what")],
    rejects: Annotated[Path | None, typer.Option(help="Where rejected rows go (default: beside the input)")] = None,
    json_answer: Annotated[bool, typer.Option("--json", help="Ends with one JSON object on standard output")] = False,
) -> None:
    """Reads any city's 311 export by a map file."""
    from portal import upkeep
    from portal.service_requests.commands import importing

    upkeep.ensure_packs(_connect())
    raise typer.Exit(importing.run_command(file, map_file, rejects, json_answer=json_answer))


@import_app.command("request-types")
def import_request_types(
    files: Annotated[
        list[Path],
        typer.Argument(help="Open311 service lists and definitions (JSON, XML), tables of types, our own .toml"),
    ],
    department: Annotated[str | None, typer.Option(help="Code of the department new types belong to")] = None,
    in_use: Annotated[bool, typer.Option("--in-use", help="Offer new types for new requests at once")] = False,
    update: Annotated[bool, typer.Option("--update", help="Change types that are in use here, too")] = False,
    json_answer: Annotated[bool, typer.Option("--json", help="Ends with one JSON object on standard output")] = False,
) -> None:
    """Reads request types of other cities; they are not in use until an administrator has looked at them."""
    from portal import upkeep
    from portal.service_requests.commands import import_types

    upkeep.ensure_packs(_connect())
    raise typer.Exit(import_types.run_command(files, department, in_use=in_use, update=update, json_answer=json_answer))


@import_app.command("survey")
def import_survey(
    file: Path,
    spec: Annotated[Path, typer.Option("--spec", help="TOML file that says which column is which question")],
    rejects: Annotated[Path | None, typer.Option(help="Where rejected answers go (default: beside the input)")] = None,
    json_answer: Annotated[bool, typer.Option("--json", help="Ends with one JSON object on standard output")] = False,
) -> None:
    """Reads the answers of a community survey by its description."""
    import dataclasses
    import json

    from portal.opinion import commands
    from portal.shared.csv_rows import BadFile

    _connect()
    try:
        outcome = commands.import_survey(file, spec, rejects, say=lambda line: typer.echo(line, err=True))
    except BadFile as problem:
        if json_answer:
            typer.echo(json.dumps({"problems": list(problem.problems)}))
        _fail(*problem.problems)
    else:
        if outcome.rejects_file:
            typer.echo(f"Left out, each with its reason: {outcome.rejects_file}", err=True)
        if json_answer:
            typer.echo(json.dumps(dataclasses.asdict(outcome)))


@report_app.command("service-levels")
def report_service_levels(
    by: Annotated[
        str,
        typer.Option(help="group, request_type, district, channel, division, department: one or several, with commas"),
    ],
    source: Annotated[
        str | None, typer.Option(help="Only requests from there: the source of an import, or “portal”")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="Opened on this day or later: YYYY-MM-DD")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Opened before this day: YYYY-MM-DD")] = None,
    json_answer: Annotated[bool, typer.Option("--json", help="Ends with one JSON object on standard output")] = False,
) -> None:
    """Opened, closed, on time (both ways), open past due, days to close, for cases opened in a span."""
    _connect()
    from portal.reports import commands

    raise typer.Exit(commands.run_service_levels(by, source, since, until, json_answer=json_answer))


@report_app.command("rebuild")
def report_rebuild() -> None:
    """Counts the reports' weeks and months anew from the requests; the portal may go on serving."""
    _connect()
    from portal.reports import commands
    from portal.shared.actor import SYSTEM

    cells = commands.rebuild(SYSTEM, lambda line: typer.echo(line, err=True))
    typer.echo(f"Counted: {cells:,} cells.", err=True)


@ledger_app.command("verify")
def ledger_verify(
    json_answer: Annotated[bool, typer.Option("--json", help="Ends with one JSON object on standard output")] = False,
) -> None:
    """Proves every balance equal to its entries, every entry to its postings; names each that is not. Exit 1 if there is one."""
    _connect()
    from portal.billing.commands import proof

    raise typer.Exit(proof.run_verify(json_answer=json_answer))


@ledger_app.command("trial-balance")
def ledger_trial_balance(
    json_answer: Annotated[bool, typer.Option("--json", help="One JSON object instead of the table")] = False,
    csv_answer: Annotated[bool, typer.Option("--csv", help="CSV instead of the table")] = False,
) -> None:
    """What each account of the chart holds: debits, credits, and what is left."""
    if json_answer and csv_answer:
        _fail("Choose one of --json and --csv.")
    _connect()
    from portal.billing.commands import proof

    raise typer.Exit(proof.run_trial_balance("json" if json_answer else "csv" if csv_answer else "table"))


@sla_app.command("due")
def sla_due() -> None:
    """Due times for JSON lines on standard input, one answer per line."""
    from portal.service_requests.rules import clock
    from portal.shared import jsonlines

    raise typer.Exit(jsonlines.run(clock.sla_due, sys.stdin, sys.stdout))


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
