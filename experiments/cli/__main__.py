"""`python -m experiments.cli ...` is `experiments ...`."""

from experiments.cli.command import main

if __name__ == "__main__":
    main()
