"""The one reading of s.yaml: how it renders, and what the cloud takes. The laptop uses it too."""
