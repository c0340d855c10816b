"""What the services agree on: events, their envelope, a force's policy, refusals. Depends on pydantic alone."""
