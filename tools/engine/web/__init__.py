"""Reading pages of the public web, and nothing else: addresses, connections, redirects, limits."""
