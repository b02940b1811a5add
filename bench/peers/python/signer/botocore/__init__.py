"""Stand-ins for the three parts of botocore that the client uses, to see what a signer of one's own would save."""
