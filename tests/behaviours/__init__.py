"""What Bosun promises to the people who use it, told end to end, on every platform."""
