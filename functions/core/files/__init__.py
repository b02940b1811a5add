"""How the reader reads a file, gives out its lines and settles them."""
