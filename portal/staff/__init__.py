"""Who works here: people of the desk, their roles and what those allow, approval limits, sign-ins, declared relatives."""
