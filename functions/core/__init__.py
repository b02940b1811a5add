"""The mechanism of the stages: what every pipeline needs, whatever its records and its stages are."""
