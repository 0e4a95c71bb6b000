"""The laptop cloud: servers that answer as the cloud's services do, on one machine and offline."""
