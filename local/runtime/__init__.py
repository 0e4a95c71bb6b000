"""A Function Compute runtime for the laptop: runs s.yaml's functions, delivers events."""
