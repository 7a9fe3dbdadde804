"""What is true: values and decisions, with no I/O, no clock and no randomness."""
