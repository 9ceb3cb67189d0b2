"""What anybody wrote, as one tree: parsed once, shown by each platform's own renderer."""
