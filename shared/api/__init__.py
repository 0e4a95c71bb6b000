"""HTTP: the jobs API, the DashScope-compatible API, tokens and ownership."""
