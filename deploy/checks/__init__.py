"""Checks of what is deployed, s.yaml and template.yml, against the cloud and our own demands."""
