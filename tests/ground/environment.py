"""What of this process's environment goes along into programs that are started with settings of their own."""

import os

KEPT = frozenset({"HOME", "LANG", "PATH", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "SSL_CERT_FILE", "TMPDIR"})


def kept() -> dict[str, str]:
    """Where programs, packages, compiled bytecode and temporary files are; no tokens, no proxies."""
    return {name: value for name, value in os.environ.items() if name in KEPT}
