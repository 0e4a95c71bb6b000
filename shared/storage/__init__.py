"""The object store: its verbs, OSS behind them, and the layout of the keys."""
