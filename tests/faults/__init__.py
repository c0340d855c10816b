"""Kills and cuts everything under load by a schedule that a seed decides, and checks what must hold all the same."""
