"""The two ways to the jobs: the bucket itself and the HTTP API."""
