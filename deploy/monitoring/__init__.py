"""What the functions print and what is watched of it: parts of template.yml and of docs/logs.md."""
