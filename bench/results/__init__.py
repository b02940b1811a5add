"""The results: figures, their tables in RESULTS.md, and the pictures of them."""
