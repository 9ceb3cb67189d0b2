"""How knowledge works: loading, chunking, embedding, the index, retrieval for readers."""
