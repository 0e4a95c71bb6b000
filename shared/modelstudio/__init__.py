"""Model Studio: the client, the API key, downloads, where results stand in an answer."""
