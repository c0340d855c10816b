"""How fast we are: ratios to what this machine can do and to the usual way of doing it, in one run (`make bench`)."""
