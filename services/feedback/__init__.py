"""Decides who is asked what, which answers worry us, and what has changed."""
