"""Where an experiment lives: its root and settings, its errors and secrets, where its code comes from, how things look.

What this room promises. A project is found from any file in it, and the same from every process. Files that others
read are written whole or not at all (`files`). What is recorded or shown has passed `redaction`. Git is asked, never
trusted to answer. Every error says the value, what is allowed and the next command (`errors`).

What one may import: any of its modules; they stand on their own, and everything else stands on them.

What it may import: `experiments.types`, and of libraries what starts fast.
"""
