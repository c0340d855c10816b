"""Tests by what they need: unit, contracts, integration, flow, browser, faults, architecture."""
