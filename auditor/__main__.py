"""`python -m auditor`, and the entry point `auditor`."""

import sys

from auditor.cli import main


def run() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(main())


if __name__ == "__main__":
    run()
