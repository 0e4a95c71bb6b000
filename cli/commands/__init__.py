"""What each command does. `cli.main` and `cli.operations` declare options and import it late."""
