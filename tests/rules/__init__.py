"""What decision rights promise."""
