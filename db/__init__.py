"""The database floor: tables and every query, one file per room; nobody else writes SQL."""
