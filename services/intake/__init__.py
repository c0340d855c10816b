"""Decides whether a woman may be offered a walk, who may see who she is, and how she may safely be contacted."""
