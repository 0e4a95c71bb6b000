"""Model Studio (DashScope) on a laptop: the image task API as its documents describe it."""
