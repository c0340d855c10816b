"""PostgreSQL, broker, identity provider and mailbox for one machine: the demo and the tests, never production."""
