"""What several commands share: the stack that they are about, options, and how records are fed and judged."""
