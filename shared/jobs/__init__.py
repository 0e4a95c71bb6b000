"""What happens to a job: every use case once, for every front."""
