"""Start Moltrail, or test it: `python3 start.py --help`. Needs Python 3.11 and nothing else.

This one file is also valid for every older Python, Python 2 included, so that they can be refused in a sentence.
"""

import os
import sys

NEEDS_PYTHON = (3, 11)

if sys.version_info < NEEDS_PYTHON:
    sys.stderr.write(
        "Moltrail needs Python %d.%d or newer and this is %d.%d: install one and run `python3.%d start.py`.\n"
        % (NEEDS_PYTHON + sys.version_info[:2] + NEEDS_PYTHON[1:])
    )
    sys.exit(2)

if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))  # not a matter of course: `python3 -P`
    try:
        from api.launcher.command import main

        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
