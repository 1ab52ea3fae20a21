"""Bodies as they are kept: compressed where that makes them smaller."""

import threading

import zstandard

_WORTH_TRYING_BYTES = 200
_LONGEST_BYTES = 16 * 1024 * 1024
_local = threading.local()


def packed(body: bytes) -> tuple[bool, bytes]:
    """Give a body as it is kept, and whether that is a zstd frame (RFC 8878)."""
    if len(body) < _WORTH_TRYING_BYTES:
        return False, body
    frame = _compressor().compress(body)
    return (True, frame) if len(frame) < len(body) else (False, body)


def unpacked(kept: bytes, *, is_frame: bool) -> bytes:
    """Give back a body as it came."""
    if not is_frame:
        return kept
    return _decompressor().decompress(kept, max_output_size=_LONGEST_BYTES)


def _compressor() -> zstandard.ZstdCompressor:
    """Give this thread's compressor: one must not be used by two threads at a time (zstandard docs)."""
    compressor: zstandard.ZstdCompressor | None = getattr(_local, "compressor", None)
    if compressor is None:
        compressor = _local.compressor = zstandard.ZstdCompressor(level=1)
    return compressor


def _decompressor() -> zstandard.ZstdDecompressor:
    decompressor: zstandard.ZstdDecompressor | None = getattr(_local, "decompressor", None)
    if decompressor is None:
        decompressor = _local.decompressor = zstandard.ZstdDecompressor()
    return decompressor
