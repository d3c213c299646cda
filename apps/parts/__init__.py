"""What the pages are made of; each page itself is a marimo file beside this folder."""
