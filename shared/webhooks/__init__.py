"""Telling receivers by HTTP: signatures and requests, as Standard Webhooks 1.0 describes them."""
