"""A day of a million jobs: what breaks first, at what rate, and what it costs. `make scale`."""
