"""Properties that hold for every input, and what looks for the input for which they do not."""
