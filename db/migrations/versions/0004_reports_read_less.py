"""Weeks and months by division and type alone; requests by how long they took"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEX = "ix_service_request_minutes_to_close_opened_at"


def upgrade() -> None:
    op.create_index(op.f(INDEX), "service_request", ["minutes_to_close", "opened_at"])
    op.execute(
        "INSERT INTO request_rollup (grain, period_on, division_code, request_type_code, district, channel, opened, closed, "
        "with_target, closed_with_target, on_time) "
        "SELECT substr(grain, 1, 1), period_on, division_code, request_type_code, '', '', sum(opened), sum(closed), "
        "sum(with_target), sum(closed_with_target), sum(on_time) FROM request_rollup WHERE grain IN ('week', 'month') "
        "GROUP BY grain, period_on, division_code, request_type_code"
    )


def downgrade() -> None:
    op.execute("DELETE FROM request_rollup WHERE grain IN ('w', 'm')")
    op.drop_index(op.f(INDEX), "service_request")
