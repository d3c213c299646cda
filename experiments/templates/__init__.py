"""Files that commands copy for the user; real ones, so that they are linted, typed and tested like any other."""
