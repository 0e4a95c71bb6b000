"""Function Compute's events and context."""
