"""`python -m operate`."""

import sys

from operate.main import end_by_signals, main

if __name__ == "__main__":
    end_by_signals()
    sys.exit(main())
