"""Decides who acts on a concern and how they are told, and keeps what became of it."""
