"""Decides which team, which officer and when; whether the walk was held, what was raised, and who follows up."""
