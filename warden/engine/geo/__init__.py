"""Distances, lines and areas on the WGS84 ellipsoid, over arrays of degrees. Pure.

Standing in the flow: rules ask "within 150 km of Bamako", "within 50 km of that border", "inside
that country"; the predicates of `engine.where` answer with what is here.
"""

from warden.engine.geo.areas import AreaIndex
from warden.engine.geo.distance import PointIndex, bearing_deg, compass, distance_km
from warden.engine.geo.geography import FixedGeography, Geography
from warden.engine.geo.lines import PolylineIndex

__all__ = [
    "AreaIndex",
    "FixedGeography",
    "Geography",
    "PointIndex",
    "PolylineIndex",
    "bearing_deg",
    "compass",
    "distance_km",
]
