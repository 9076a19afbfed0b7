"""Frozen values that every room speaks in. They import nobody."""
