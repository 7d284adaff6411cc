"""Pure decisions of a move: days, evidence, debts, who follows whom at a service point, which orders are needed."""
