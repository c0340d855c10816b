"""Intake's ways out: how a message leaves for her."""
