"""The four services, each deciding one thing and importing none of the others."""
