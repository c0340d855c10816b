"""Ways out of assignment: messages to officers about their work."""
