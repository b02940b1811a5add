"""What an operator asks of a deployed stack."""
