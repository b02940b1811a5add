"""How it is measured: functions in their runtimes, started and called in turns, with a share of a CPU."""
