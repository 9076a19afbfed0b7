"""Trying rules before trusting them: backtests, rule tests, explanations.

Standing in the flow: beside it. The engine's own functions, over events as they were, would have
been or are supposed to be known at chosen instants, with a ledger that lives in memory.
"""
