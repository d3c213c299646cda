"""The server behind the pages: who may come in, what may be asked, where each address leads."""
