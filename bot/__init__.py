"""Human layer: the platforms, the web chat and the command line through which people meet Bosun."""
