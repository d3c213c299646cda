"""An experiment as one file, from which it can be verified and run again on another machine.

What it promises. The same experiment gives the same bytes. A manifest has the sha256 of every file; an archive that
does not fit it, or that would write outside its folder, is refused before anything is written. Nothing of a bundle is
run by reading it. No known secret goes in, and no path of this machine.

`archive` writes, verifies and unpacks; `gathering` says what goes in, `checklist` writes REPRODUCE.md, `opening` reads.
"""
