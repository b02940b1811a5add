"""A thousand times the load, on paper: the deployed stack simulated with AWS's documented limits.

limits       what AWS documents, each with its page and the day it was read
table        DynamoDB: what it takes of what is written at once, and how it grows
simulation   events through the stages' queues, step by step
durations    what a stage takes on an event, measured by the bench
scenarios    loads and configurations, what they cost and what saturates
benches      the tables and pictures of docs/scale.md, and the comparison with the embedded AWS
"""
