"""The embedded AWS: the deployed stack on this machine, with IAM, TLS and Lambda's asynchronous queue."""
