"""The life of a walk and of a follow-up as pure decisions: values in, values and events out, refusals by name."""
