"""`make bench-retrieval`: how well and how fast searches find, on any collection in BEIR's layout."""
