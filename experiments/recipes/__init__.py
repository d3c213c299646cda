"""One file a recipe; each is a command."""
