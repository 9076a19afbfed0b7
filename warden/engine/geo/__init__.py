"""Distances, lines and areas on the WGS84 ellipsoid, over arrays of degrees. Pure.

Standing in the flow: rules ask "within 150 km of Bamako", "within 50 km of that border", "inside
that country"; the predicates of `engine.where` answer with what is here.
"""
