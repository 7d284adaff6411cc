"""Pure metering rules: usage between reads and what use to expect. No database and no clock."""
