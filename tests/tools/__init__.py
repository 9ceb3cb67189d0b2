"""The tools room: the permit, the catalogue, and each tool against real files and real servers."""
