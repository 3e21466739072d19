"""Episodes become incidents, incidents become notifications, each with its runbook."""
