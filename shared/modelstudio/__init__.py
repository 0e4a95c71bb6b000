"""Model Studio: the client, the API key, downloads, where an answer holds its results."""
