"""Real geography: a postcode or a point on the map in, the neighbourhood area that answers for it out."""
