"""A stage of the pipeline, from the value that describes it to its alias, and how a new version gets there."""
