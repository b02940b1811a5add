"""A thousand times the load, on paper: the deployed stack simulated with AWS's documented limits.

- limits: what AWS documents, each with its page and the day it was read
- table: how much DynamoDB takes of what is written at once, and how it grows
- queues: the stages, their asynchronous queues, their instances
- simulation: events through the queues, step by step
- outcome: what came of it, after each step and in the end
- durations: what a stage takes on an event, measured by the bench
- scenarios: loads and configurations, what they cost and need
- benches: the tables and pictures of docs/scale.md
- embedded: the comparison with the embedded AWS
"""
