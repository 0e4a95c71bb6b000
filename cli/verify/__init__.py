"""What can be seen in a real account alone: one small check for each fact of facts.yaml."""
