"""Office files are archives: what is looked at before one is unpacked. A bomb says itself how large it becomes."""

from __future__ import annotations

import io
import zipfile

from knowledge.engine.readable import NotReadable

UNPACKED = 300 * 1024 * 1024  # bytes of all parts together
RATIO = 200  # times that one part may grow, where it is larger than a megabyte
PARTS = 10_000
OLE = b"\xd0\xcf\x11\xe0"  # the container of old and of encrypted Office files


def check_package(data: bytes, what: str, needed: str) -> None:
    """NotReadable for an archive that is not `what`, is encrypted or damaged, or would fill the memory."""
    if data.startswith(OLE):
        raise NotReadable(
            f"It is protected by a password, or not {what} of today's kind.", hint="Save it anew, without a password."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise NotReadable(f"It is not {what}, whatever its name says.") from error
    if len(parts) > PARTS or sum(part.file_size for part in parts) > UNPACKED or any(map(_swells, parts)):
        raise NotReadable("It would unpack to far more than it is: it looks like a bomb.")
    if any(part.flag_bits & 1 for part in parts):
        raise NotReadable("It is protected by a password.", hint="Save it without one.")
    if needed not in {part.filename for part in parts}:
        raise NotReadable(f"It is an archive, and not {what}.")


def _swells(part: zipfile.ZipInfo) -> bool:
    return part.file_size > 1024**2 and part.file_size > RATIO * max(part.compress_size, 1)
