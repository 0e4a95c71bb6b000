"""What an image file that is sent here may be."""

from __future__ import annotations

MOST_BYTES = 10 * 1024 * 1024
"""What the models take (API references)."""
EXTENSIONS = {
    "image/png": ("png",),
    "image/jpeg": ("jpg", "jpeg", "jpe"),
    "image/webp": ("webp",),
    "image/bmp": ("bmp",),
    "image/tiff": ("tiff", "tif"),
}
