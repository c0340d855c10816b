"""Ways out to partners, one module each."""
