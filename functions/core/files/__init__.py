"""Reading a file, sending its lines and settling them."""
