"""Who may do what, tried in every way that is not meant."""
