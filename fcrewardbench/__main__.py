"""`python -m fcrewardbench` is `fcrb`."""

from fcrewardbench.cli import main

main()
