"""What is said is shown whole on every platform, and nothing in it acts."""
