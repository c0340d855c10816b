"""The forms officers and coordinators fill in."""
