"""What each command does. `cli.main` declares their options and imports a command when it runs."""
