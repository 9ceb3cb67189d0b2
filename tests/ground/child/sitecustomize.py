"""Python imports this by itself in the programs that tests start: it keeps them on this machine too."""

import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[3])

sys.path.insert(0, ROOT)
import tests.ground.offline  # noqa: E402, F401  importing it is all there is to do

sys.path.remove(ROOT)
