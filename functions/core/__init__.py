"""The mechanism of the stages, which is the same whatever a pipeline's records and stages are."""
