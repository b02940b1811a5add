"""The embedded AWS: MiniStack in a process of its own, with IAM, TLS and Lambda's asynchronous invocation before it.

Its user holds a `process.EmbeddedAws`; the process itself is `server`, and the other modules are what it is made of.
Nothing is exported here, because `server` and `tether` run as programs and start faster without the rest.
"""
