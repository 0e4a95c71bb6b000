"""`wanx doctor --deployment`: how far a deployment is, step by step, and what to do next."""
