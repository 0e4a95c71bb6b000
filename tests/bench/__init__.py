"""What is measured, beside what people use instead; `make bench` runs all of it."""
