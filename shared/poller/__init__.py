"""When something happens to a job: the pump and its schedule."""
