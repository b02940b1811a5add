"""`python -m operate`."""

import signal
import sys

from operate.main import end_by_signals, main

if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # see operate/__init__.py
        signal.signal(signal.SIGINT, signal.default_int_handler)
    end_by_signals()
    sys.exit(main())
