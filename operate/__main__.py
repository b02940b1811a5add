"""`python -m operate`."""

import sys

from operate import main

if __name__ == "__main__":
    sys.exit(main())
