"""What the YAML of `schemas/` says: models, errors, retry policy."""
