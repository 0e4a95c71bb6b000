"""The generated part of template.yml: the functions that s.yaml declares."""
