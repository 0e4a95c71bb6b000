"""The laptop cloud: servers that answer as the cloud's services do, on a laptop and offline."""
