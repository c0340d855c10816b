"""The life of a walk: assignment's own commands and events in any order on a database of its own."""
