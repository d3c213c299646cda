"""The README's pictures, taken from real pages."""
