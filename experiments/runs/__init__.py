"""Reading runs back: offline W&B files and the W&B server."""
