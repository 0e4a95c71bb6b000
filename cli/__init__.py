"""`wanx`: the command line. It works straight against the bucket, or against the HTTP API."""
