"""Decides whether she may be offered a walk, who may see who she is, and how she may safely be contacted."""
