"""What Function Compute and the process give us: events, context, settings, logs, clock."""
