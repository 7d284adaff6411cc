"""The ledger, bill adjustments, absences, the delivery of messages, weights of survey answers"""

import sqlalchemy as sa
from alembic import op

from db import core

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = ("ledger_account", "journal_entry", "posting")
"""Tables that may only grow, added by this revision."""

OUTBOX_TEXTS = (("route", 12), ("address", 300), ("lease", 40), ("reason", 500))
OUTBOX_INDEXES = (
    ("delivery_state", "route", "due_at"),
    ("subject_kind", "subject_id"),
    ("recipient_kind", "recipient_id"),
)


def upgrade() -> None:
    bind = op.get_bind()
    op.create_table(
        "ledger_account",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("gl_code", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_ledger_account")),
    )
    op.create_table(
        "staff_absence",
        sa.Column("staff_id", core.BigId, nullable=False),
        sa.Column("stand_in_id", core.BigId, nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("declared_at", core.UtcTime(), nullable=False),
        sa.Column("declared_by_id", core.BigId, nullable=False),
        sa.Column("ended_at", core.UtcTime(), nullable=True),
        sa.Column("id", core.BigId, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["declared_by_id"], ["staff.id"], name=op.f("fk_staff_absence_declared_by_id_staff")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_staff_absence_staff_id_staff")),
        sa.ForeignKeyConstraint(["stand_in_id"], ["staff.id"], name=op.f("fk_staff_absence_stand_in_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_absence")),
    )
    op.create_index(op.f("ix_staff_absence_staff_id_until_on"), "staff_absence", ["staff_id", "until_on"], unique=False)
    op.create_index(
        op.f("ix_staff_absence_stand_in_id_until_on"), "staff_absence", ["stand_in_id", "until_on"], unique=False
    )
    op.create_table(
        "journal_entry",
        sa.Column("id", core.BigId, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("kind_code", sa.String(length=12), nullable=False),
        sa.Column("account_id", core.BigId, nullable=False),
        sa.Column("business_on", sa.Date(), nullable=False),
        sa.Column("posted_at", core.UtcTime(), nullable=False),
        sa.Column("staff_id", core.BigId, nullable=True),
        sa.Column("bill_id", core.BigId, nullable=True),
        sa.Column("payment_id", core.BigId, nullable=True),
        sa.Column("reverses_id", core.BigId, nullable=True),
        sa.Column("receivable_cents", core.Cents(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_journal_entry_account_id_account")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_journal_entry_bill_id_bill")),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_journal_entry_payment_id_payment")),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["journal_entry.id"], name=op.f("fk_journal_entry_reverses_id_journal_entry")
        ),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_journal_entry_staff_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journal_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_journal_entry_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_journal_entry_reverses_id")),
    )
    op.create_index(
        op.f("ix_journal_entry_account_id_business_on_id"),
        "journal_entry",
        ["account_id", "business_on", "id"],
        unique=False,
    )
    op.create_table(
        "adjustment",
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("account_id", core.BigId, nullable=False),
        sa.Column("bill_id", core.BigId, nullable=True),
        sa.Column("adjustment_type", sa.String(length=40), nullable=False),
        sa.Column("limit_kind", sa.String(length=40), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=False),
        sa.Column("amount_cents", core.Cents(), nullable=False),
        sa.Column("lines", core.Json, nullable=False),
        sa.Column("how", core.Json, nullable=False),
        sa.Column("note", sa.String(length=1000), nullable=False),
        sa.Column("state_code", sa.String(length=10), nullable=False),
        sa.Column("conversation_id", core.BigId, nullable=True),
        sa.Column("requested_by_id", core.BigId, nullable=False),
        sa.Column("requested_at", core.UtcTime(), nullable=False),
        sa.Column("decided_by_id", core.BigId, nullable=True),
        sa.Column("decided_for_id", core.BigId, nullable=True),
        sa.Column("decided_at", core.UtcTime(), nullable=True),
        sa.Column("decided_why", sa.String(length=500), nullable=False),
        sa.Column("entry_id", core.BigId, nullable=True),
        sa.Column("reversed_by_id", core.BigId, nullable=True),
        sa.Column("reversed_at", core.UtcTime(), nullable=True),
        sa.Column("reversed_why", sa.String(length=500), nullable=False),
        sa.Column("id", core.BigId, autoincrement=True, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_adjustment_account_id_account")),
        sa.ForeignKeyConstraint(["bill_id"], ["bill.id"], name=op.f("fk_adjustment_bill_id_bill")),
        sa.ForeignKeyConstraint(
            ["conversation_id"], ["conversation.id"], name=op.f("fk_adjustment_conversation_id_conversation")
        ),
        sa.ForeignKeyConstraint(["decided_by_id"], ["staff.id"], name=op.f("fk_adjustment_decided_by_id_staff")),
        sa.ForeignKeyConstraint(["decided_for_id"], ["staff.id"], name=op.f("fk_adjustment_decided_for_id_staff")),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name=op.f("fk_adjustment_entry_id_journal_entry")),
        sa.ForeignKeyConstraint(["requested_by_id"], ["staff.id"], name=op.f("fk_adjustment_requested_by_id_staff")),
        sa.ForeignKeyConstraint(["reversed_by_id"], ["staff.id"], name=op.f("fk_adjustment_reversed_by_id_staff")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
        sa.UniqueConstraint("number", name=op.f("uq_adjustment_number")),
    )
    op.create_index(
        op.f("ix_adjustment_account_id_requested_at"), "adjustment", ["account_id", "requested_at"], unique=False
    )
    op.create_index(
        op.f("ix_adjustment_state_code_requested_at"), "adjustment", ["state_code", "requested_at"], unique=False
    )
    op.create_table(
        "posting",
        sa.Column("entry_id", core.BigId, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("debit_code", sa.String(length=40), nullable=False),
        sa.Column("credit_code", sa.String(length=40), nullable=False),
        sa.Column("service_kind", sa.String(length=20), nullable=False),
        sa.Column("amount_cents", core.Cents(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_posting_amount")),
        sa.CheckConstraint("debit_code <> credit_code", name=op.f("ck_posting_sides")),
        sa.ForeignKeyConstraint(
            ["credit_code"], ["ledger_account.code"], name=op.f("fk_posting_credit_code_ledger_account")
        ),
        sa.ForeignKeyConstraint(
            ["debit_code"], ["ledger_account.code"], name=op.f("fk_posting_debit_code_ledger_account")
        ),
        sa.ForeignKeyConstraint(["entry_id"], ["journal_entry.id"], name=op.f("fk_posting_entry_id_journal_entry")),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("pk_posting")),
        sqlite_with_rowid=False,
    )
    _add_deliveries()
    _add_weights()
    for table in APPEND_ONLY:
        for statement in core.append_only_statements(table, bind.dialect.name):
            op.execute(statement)
    _open_the_ledger()
    _grant_adjustments()


def _add_deliveries() -> None:
    """The outbox learns how each message goes out; the wording sent and each try become rows."""
    op.create_table(
        "message_copy",
        sa.Column("message_id", core.BigId, nullable=False),
        sa.Column("address", sa.String(length=300), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("body_hash", sa.String(length=64), nullable=False),
        sa.Column("handing_key", sa.String(length=200), nullable=False),
        sa.Column("letter_code", sa.String(length=120), nullable=False),
        sa.Column("written_at", core.UtcTime(), nullable=False),
        sa.Column("id", core.BigId, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_message.id"], name=op.f("fk_message_copy_message_id_outbox_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_copy")),
    )
    op.create_index(op.f("ix_message_copy_message_id"), "message_copy", ["message_id"], unique=False)
    op.create_table(
        "delivery_attempt",
        sa.Column("message_id", core.BigId, nullable=False),
        sa.Column("lease", sa.String(length=40), nullable=False),
        sa.Column("begun_at", core.UtcTime(), nullable=False),
        sa.Column("ended_at", core.UtcTime(), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("id", core.BigId, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["outbox_message.id"], name=op.f("fk_delivery_attempt_message_id_outbox_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_attempt")),
    )
    op.create_index(op.f("ix_delivery_attempt_message_id"), "delivery_attempt", ["message_id"], unique=False)
    for name, size in OUTBOX_TEXTS:
        op.add_column("outbox_message", sa.Column(name, sa.String(length=size), nullable=False, server_default=""))
    op.add_column("outbox_message", sa.Column("looked_at", core.UtcTime(), nullable=True))
    op.add_column("outbox_message", sa.Column("copy_id", sa.BigInteger(), nullable=True))
    op.add_column("outbox_message", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for columns in OUTBOX_INDEXES:
        op.create_index(op.f(f"ix_outbox_message_{'_'.join(columns)}"), "outbox_message", list(columns), unique=False)


def _drop_deliveries() -> None:
    for columns in OUTBOX_INDEXES:
        op.drop_index(op.f(f"ix_outbox_message_{'_'.join(columns)}"), "outbox_message")
    for name in ("version", "copy_id", "looked_at", *(name for name, _ in OUTBOX_TEXTS)):
        op.drop_column("outbox_message", name)
    op.drop_table("delivery_attempt")
    op.drop_table("message_copy")


def _open_the_ledger() -> None:
    """What accounts owed before there was a ledger comes in as one opening entry each."""
    owing = "FROM account WHERE balance_cents <> 0"
    if not op.get_bind().execute(sa.text(f"SELECT count(*) {owing}")).scalar():
        return
    for code, name, kind in (("receivable", "Customers owe", "asset"), ("opening", "Opening balances", "income")):
        op.get_bind().execute(
            sa.text("INSERT INTO ledger_account (code, name, kind, gl_code) VALUES (:code, :name, :kind, '')"),
            {"code": code, "name": name, "kind": kind},
        )
    day, now = core.now().date(), core.now()
    op.get_bind().execute(
        sa.text(
            "INSERT INTO journal_entry (key, kind_code, account_id, business_on, posted_at, receivable_cents) "
            f"SELECT 'opening:' || CAST(id AS VARCHAR(20)), 'opening', id, :day, :now, balance_cents {owing}"
        ).bindparams(sa.bindparam("day", day, sa.Date), sa.bindparam("now", now, core.UtcTime))
    )
    op.execute(
        "INSERT INTO posting (entry_id, position, debit_code, credit_code, service_kind, amount_cents) "
        "SELECT id, 1, CASE WHEN receivable_cents > 0 THEN 'receivable' ELSE 'opening' END, "
        "CASE WHEN receivable_cents > 0 THEN 'opening' ELSE 'receivable' END, '', abs(receivable_cents) "
        "FROM journal_entry WHERE kind_code = 'opening'"
    )


def _add_weights() -> None:
    """What a survey's respondents weigh, and what its kept counts weigh."""
    op.add_column("survey_wave", sa.Column("weighted", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("respondent", sa.Column("weight", sa.Float(), nullable=True))
    for name in ("weight", "weight_squares"):
        op.add_column("survey_count", sa.Column(name, sa.Float(), nullable=False, server_default=sa.text("0")))


def _drop_weights() -> None:
    op.drop_column("survey_wave", "weighted")
    op.drop_column("respondent", "weight")
    for name in ("weight", "weight_squares"):
        op.drop_column("survey_count", name)


GRANTS = {
    "representative": ("adjustment.read", "adjustment.make", "absence.declare", "payment.record"),
    "supervisor": ("adjustment.read", "adjustment.make", "adjustment.approve", "absence.declare", "payment.record"),
    "manager": ("adjustment.read", "adjustment.approve", "absence.declare"),
    "administrator": ("absence.declare",),
}
LIMITS = {
    "representative": {"leak": 5_000, "correction": 5_000, "collection": 2_500, "charge": 5_000},
    "supervisor": {"leak": 50_000, "correction": 50_000, "collection": 20_000, "charge": 50_000},
    "manager": dict.fromkeys(("goodwill", "late_fee", "leak", "correction", "collection", "charge"), 500_000),
}
"""What the base roles of a portal from before have to carry from now on: a pack never changes a role that is there."""


def _grant_adjustments() -> None:
    grant = sa.text(
        "INSERT INTO role_permission (role_code, permission) SELECT code, CAST(:what AS VARCHAR(60)) FROM role "
        "WHERE code = :role AND NOT EXISTS "
        "(SELECT 1 FROM role_permission WHERE role_code = :role AND permission = :what)"
    )
    limit = sa.text(
        "INSERT INTO approval_limit (role_code, adjustment_kind, limit_cents) SELECT code, CAST(:what AS VARCHAR(40)), "
        "CAST(:cents AS BIGINT) FROM role WHERE code = :role AND NOT EXISTS "
        "(SELECT 1 FROM approval_limit WHERE role_code = :role AND adjustment_kind = :what)"
    )
    for role, permissions in GRANTS.items():
        for what in permissions:
            op.get_bind().execute(grant, {"role": role, "what": what})
    for role, kinds in LIMITS.items():
        for what, cents in kinds.items():
            op.get_bind().execute(limit, {"role": role, "what": what, "cents": cents})


def downgrade() -> None:
    _drop_deliveries()
    _drop_weights()
    for table in ("posting", "adjustment", "journal_entry", "staff_absence", "ledger_account"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for table in APPEND_ONLY:
            op.execute(f"DROP FUNCTION {table}_append_only()")
