"""The protocol of outbox, relay and inbox, explored: the real code and PostgreSQL, a simulated broker and clock."""
