"""One HTML file from a notebook, which opens anywhere with the network off."""
