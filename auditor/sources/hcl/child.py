"""The process that evaluates one folder of Terraform and prints the result as JSON: it may hang or die alone."""

from __future__ import annotations

import json
import sys


def main() -> int:
    """Evaluate the folder named by the first argument, with the variable files named by the others."""
    try:
        import resource

        limit = 3 * 1024**3
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ImportError, ValueError, OSError):
        pass  # where there is no such limit, that on time remains
    try:
        import tfparse
    except ImportError:
        return 3
    try:
        found = tfparse.load_from_path(sys.argv[1], allow_downloads=False, vars_paths=sys.argv[2:] or None)
    except tfparse.ParseError as error:
        print(str(error)[:500], file=sys.stderr)
        return 1
    json.dump(found, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
