"""What each command does. `cli.main` and `cli.operations` declare their options and import it late."""
