"""What a message says: its words, and the entry for her calendar."""
