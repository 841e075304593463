"""`python -m toolrm`, which `accelerate launch -m toolrm` starts, too."""

from toolrm.cli import main

if __name__ == "__main__":
    main()
