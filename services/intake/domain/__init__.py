"""What intake decides: may she be offered a walk, how may she be contacted, who may see who she is. Pure."""
